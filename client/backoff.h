#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace latentdesk {

/// How long to wait before the next attempt to connect: 0.25 s, doubling to 5 s. A little jitter keeps the
/// viewers of a restarted server from coming back all at once. One thread uses it.
class Backoff {
 public:
  using Delay = std::chrono::milliseconds;

  Delay next() {
    const double jitter = std::uniform_real_distribution(0.8, 1.2)(random_);
    const Delay delay(static_cast<Delay::rep>(static_cast<double>(delay_.count()) * jitter));
    delay_ = std::min(2 * delay_, kLongest);
    return delay;
  }

  void reset() { delay_ = kShortest; }

 private:
  static constexpr Delay kShortest{250};
  static constexpr Delay kLongest{5000};

  Delay delay_ = kShortest;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace latentdesk
