#pragma once

#include <algorithm>
#include <chrono>

namespace latentdesk {

/// Keeps peers from filling the log: twenty lines at once, and from then on one a second. One thread.
class LogBudget {
 public:
  using Clock = std::chrono::steady_clock;

  /// Whether one more line may be written now.
  bool spend(Clock::time_point now) {
    // Each line takes one second of the last twenty; when none of them is left it has to wait.
    spent_until_ = std::max(spent_until_, now - kBurst);
    if (spent_until_ >= now) return false;
    spent_until_ += std::chrono::seconds(1);
    return true;
  }

 private:
  static constexpr std::chrono::seconds kBurst{20};
  Clock::time_point spent_until_{};
};

}  // namespace latentdesk
