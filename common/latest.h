#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace latentdesk {

/// Mailbox with one slot between two threads. Drop policy: a new value replaces one that was not taken, since
/// only the latest picture is worth the work that follows. One wake-up for each fill.
template <typename T>
class Latest {
 public:
  /// Any thread. The replaced value, if any, is destroyed outside the lock.
  void put(T value) {
    std::optional<T> replaced(std::move(value));
    {
      std::lock_guard lock(mutex_);
      if (closed_) return;
      std::swap(slot_, replaced);
      if (replaced) ++dropped_;
    }
    changed_.notify_one();
  }

  /// Blocks until there is a value; nothing once closed.
  std::optional<T> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return slot_ || closed_; });
    if (closed_) return std::nullopt;
    return std::exchange(slot_, std::nullopt);
  }

  /// Takes the value if there is one.
  std::optional<T> try_take() {
    std::lock_guard lock(mutex_);
    return std::exchange(slot_, std::nullopt);
  }

  /// Wakes `take` for good; the value in the slot is dropped.
  void close() {
    std::optional<T> dropped;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      std::swap(slot_, dropped);
    }
    changed_.notify_all();
  }

  uint64_t dropped() const {
    std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> slot_;
  uint64_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace latentdesk
