#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace latentdesk {

/// Hands out objects that come back by themselves and are used again with the memory they hold, so that a
/// stream allocates nothing in steady state. Grows to as many as were ever out at once. Any thread; must
/// outlive what it handed out.
template <typename T>
class Pool {
 public:
  /// Gives the object back instead of destroying it.
  struct Return {
    Pool* pool = nullptr;
    void operator()(T* object) const { pool->give_back(std::unique_ptr<T>(object)); }
  };
  using Pointer = std::unique_ptr<T, Return>;

  /// An object in the state its last user left it in.
  Pointer take() {
    std::lock_guard lock(mutex_);
    if (idle_.empty()) return Pointer(new T, Return{this});
    Pointer object(idle_.back().release(), Return{this});
    idle_.pop_back();
    return object;
  }

 private:
  void give_back(std::unique_ptr<T> object) {
    std::lock_guard lock(mutex_);
    idle_.push_back(std::move(object));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_;
};

}  // namespace latentdesk
