#pragma once

#include <functional>
#include <mutex>

namespace latentdesk {

/// Whether any viewer can take a picture now. The network thread sets it; capture and encoding rest while
/// nobody can, so that nothing is captured or encoded only to be thrown away.
class Demand {
 public:
  /// `on_open` runs on the network thread whenever demand begins. Set before other threads start.
  void on_open(std::function<void()> callback) { on_open_ = std::move(callback); }

  void set(bool open) {
    {
      std::lock_guard lock(mutex_);
      if (open == open_) return;
      open_ = open;
    }
    if (!open) return;
    if (on_open_) on_open_();
  }

  bool is_open() const {
    std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  mutable std::mutex mutex_;
  std::function<void()> on_open_;
  bool open_ = false;
};

}  // namespace latentdesk
