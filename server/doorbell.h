#pragma once

#include "common/clock.h"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace latentdesk {

/// Wakes the one thread that waits for any of several things; rings before it waits are not lost, and several
/// count as one.
class Doorbell {
 public:
  /// Any thread.
  void ring() {
    {
      std::lock_guard lock(mutex_);
      rung_ = true;
    }
    changed_.notify_one();
  }

  /// Blocks until it was rung, or `deadline` has come; false once closed.
  bool wait(std::optional<SteadyTime> deadline) {
    std::unique_lock lock(mutex_);
    const auto awake = [this] { return rung_ || closed_; };
    if (deadline) {
      changed_.wait_until(lock, *deadline, awake);
    } else {
      changed_.wait(lock, awake);
    }
    rung_ = false;
    return !closed_;
  }

  /// Wakes `wait` for good. Any thread.
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
  bool closed_ = false;
};

}  // namespace latentdesk
