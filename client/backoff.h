#pragma once

#include "common/clock.h"

#include <algorithm>
#include <chrono>
#include <random>

namespace latentdesk {

/// How long to wait before the next attempt to connect. For half a minute after a good connection was lost
/// attempts begin ten times a second, since the link may be back any moment. Else, and when the server is
/// there and refuses, 0.25 s, doubling to 5 s. A little jitter keeps the viewers of a restarted server from
/// coming back all at once. One thread uses it.
class Backoff {
 public:
  using Delay = std::chrono::milliseconds;

  /// A good connection has ended.
  void reset(SteadyTime now) {
    delay_ = kShortest;
    quick_until_ = now + kQuickTime;
  }

  bool is_quick(SteadyTime now) const { return now < quick_until_; }

  /// After an attempt, or a connection, that began at `began`.
  Delay next(bool refused, SteadyTime began, SteadyTime now) {
    if (!refused && is_quick(now)) {
      const auto rest = std::chrono::duration_cast<Delay>(began + kQuickPeriod - now);
      return std::max(rest, Delay::zero());
    }
    const double jitter = std::uniform_real_distribution(0.8, 1.2)(random_);
    const Delay delay(static_cast<Delay::rep>(static_cast<double>(delay_.count()) * jitter));
    delay_ = std::min(2 * delay_, kLongest);
    return delay;
  }

 private:
  static constexpr Delay kShortest{250};
  static constexpr Delay kLongest{5000};
  static constexpr Delay kQuickPeriod{100};
  static constexpr auto kQuickTime = std::chrono::seconds(30);

  Delay delay_ = kShortest;
  SteadyTime quick_until_{};
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace latentdesk
