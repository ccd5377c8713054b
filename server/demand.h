#pragma once

#include <condition_variable>
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
    changed_.notify_all();
    if (on_open_) on_open_();
  }

  bool is_open() const {
    std::lock_guard lock(mutex_);
    return open_;
  }

  /// Blocks until there is demand; false once closed.
  bool wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_ || closed_; });
    return !closed_;
  }

  /// Wakes `wait` for good.
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> on_open_;
  bool open_ = false;
  bool closed_ = false;
};

}  // namespace latentdesk
