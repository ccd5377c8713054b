#pragma once

#include "common/clock.h"

#include <algorithm>
#include <deque>
#include <optional>

namespace latentdesk {

/// A link in simulated time: a queue that empties at a rate, and a delay each way.
template <typename Message>
class SimulatedLink {
 public:
  struct Arrival {
    SteadyTime sent;
    SteadyTime at;
    SteadyTime acknowledged;
    Message message;
  };

  /// `bytes_per_second` 0 is no limit.
  SimulatedLink(double bytes_per_second, SteadyClock::duration delay)
      : bytes_per_second_(bytes_per_second), delay_(delay) {}

  void send(Message message, size_t bytes, SteadyTime now) {
    free_at_ = std::max(free_at_, now);
    if (bytes_per_second_ > 0) {
      const std::chrono::duration<double> transmission(static_cast<double>(bytes) / bytes_per_second_);
      free_at_ += std::chrono::duration_cast<SteadyClock::duration>(transmission);
    }
    on_the_way_.push_back({now, free_at_ + delay_, free_at_ + 2 * delay_, std::move(message)});
  }

  /// What has arrived and been acknowledged by `now`, oldest first.
  std::optional<Arrival> receive(SteadyTime now) {
    if (on_the_way_.empty() || on_the_way_.front().acknowledged > now) return std::nullopt;
    Arrival arrival = std::move(on_the_way_.front());
    on_the_way_.pop_front();
    return arrival;
  }

  bool is_empty() const { return on_the_way_.empty(); }

 private:
  double bytes_per_second_;
  SteadyClock::duration delay_;
  SteadyTime free_at_{};
  std::deque<Arrival> on_the_way_;
};

}  // namespace latentdesk
