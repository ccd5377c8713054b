#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace latentdesk {

/// Queue of fixed capacity between two threads. Drop policy: none. A full queue makes the producer wait, so
/// that what must not be lost (packets between server and canvas) is held back at its source.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : slots_(capacity) {}

  /// Blocks while full; false once closed, and the value is dropped.
  bool push(T value) {
    std::unique_lock lock(mutex_);
    not_full_.wait(lock, [this] { return count_ < slots_.size() || closed_; });
    if (closed_) return false;
    slots_[(first_ + count_) % slots_.size()] = std::move(value);
    ++count_;
    lock.unlock();
    not_empty_.notify_one();
    return true;
  }

  /// Blocks while empty; nothing once closed and drained.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    not_empty_.wait(lock, [this] { return count_ > 0 || closed_; });
    return take_first(lock);
  }

  /// Takes the first value if there is one.
  std::optional<T> try_pop() {
    std::unique_lock lock(mutex_);
    return take_first(lock);
  }

  /// Wakes both sides for good; what is queued can still be popped.
  void close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    not_full_.notify_all();
    not_empty_.notify_all();
  }

 private:
  std::optional<T> take_first(std::unique_lock<std::mutex>& lock) {
    if (count_ == 0) return std::nullopt;
    std::optional<T> value(std::move(slots_[first_]));
    first_ = (first_ + 1) % slots_.size();
    --count_;
    lock.unlock();
    not_full_.notify_one();
    return value;
  }

  std::mutex mutex_;
  std::condition_variable not_full_;
  std::condition_variable not_empty_;
  std::vector<T> slots_;
  size_t first_ = 0;
  size_t count_ = 0;
  bool closed_ = false;
};

}  // namespace latentdesk
