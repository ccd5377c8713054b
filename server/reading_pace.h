#pragma once

#include "common/clock.h"

#include <optional>

namespace latentdesk {

/// How fast the messages of a viewer are read: no faster than any viewer has reason to write, so that none
/// keeps the network thread from the others. One thread uses it.
class ReadingPace {
 public:
  static constexpr size_t kMessagesInPeriod = 200;
  static constexpr auto kPeriod = std::chrono::milliseconds(100);

  /// Of the present message: a long one, and one of many events, counts as several, since it takes as long.
  void add_bytes(size_t bytes) { messages_ += bytes / kBytesOfMessage; }
  void add_events(size_t events) { messages_ += events / kEventsOfMessage; }

  /// A message was read; until when the next one has to wait, if it has to.
  std::optional<SteadyTime> next(SteadyTime now) {
    if (now >= period_end_) {
      period_end_ = now + kPeriod;
      messages_ = 0;
    }
    if (++messages_ < kMessagesInPeriod) return std::nullopt;
    // What a long message is beyond the limit, it takes from the periods that follow.
    const auto periods = static_cast<int>(messages_ / kMessagesInPeriod);
    return period_end_ + (periods - 1) * kPeriod;
  }

  /// Whether the log should hear that a message has to wait: not too often.
  bool should_complain(SteadyTime now) {
    if (now < next_complaint_) return false;
    next_complaint_ = now + kComplaintPeriod;
    return true;
  }

 private:
  static constexpr size_t kBytesOfMessage = 8192;
  static constexpr size_t kEventsOfMessage = 2;
  static constexpr auto kComplaintPeriod = std::chrono::seconds(10);

  size_t messages_ = 0;  ///< in this period
  SteadyTime period_end_{};
  SteadyTime next_complaint_{};
};

}  // namespace latentdesk
