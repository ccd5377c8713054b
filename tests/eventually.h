#pragma once

#include <chrono>
#include <thread>

namespace latentdesk {

/// Whether the condition comes to hold within ten seconds.
template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace latentdesk
