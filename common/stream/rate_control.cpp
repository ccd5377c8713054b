#include "common/stream/rate_control.h"

#include "common/protocol.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace latentdesk {

namespace {

constexpr size_t kFirstWindow = 64 * 1024;
constexpr size_t kLeastWindow = 8 * 1024;
// The window has room for so much more than the shortest round trip, or the path would idle between updates.
constexpr double kSlackMs = 40;
constexpr auto kStretch = std::chrono::seconds(5);
// An update that takes so much longer than the shortest round trip means a queue, or is too large.
constexpr double kLateMs = 100;
constexpr double kInTimeMs = 40;
constexpr double kFall = 0.75;
constexpr double kRise = 2;
constexpr double kLeastQuality = 5;
constexpr auto kLeastRest = std::chrono::milliseconds(100);
// What a rate measured lower than before counts, when a queue shows that it is the path's.
constexpr double kRateGain = 0.5;
constexpr double kProbeGain = 1.25;
constexpr double kMomentSeconds = 0.2;

}  // namespace

void RecentLeast::add(double value, SteadyTime now) {
  if (now >= end_) {
    before_ = std::exchange(now_, std::nullopt);
    end_ = now + kStretch;
  }
  now_ = std::min(now_.value_or(value), value);
}

double RecentLeast::value() const {
  const double now = now_.value_or(0);
  return std::min(now, before_.value_or(now));
}

void RateControl::sent(size_t bytes, SteadyTime now) {
  in_flight_ += bytes;
  on_the_way_.push_back({bytes, now, delivered_, in_flight_ >= window()});
}

void RateControl::acknowledged(uint64_t updates, SteadyTime now) {
  if (updates < acknowledged_ || updates - acknowledged_ > on_the_way_.size()) {
    throw ProtocolError("acknowledges updates that were not sent");
  }
  for (; acknowledged_ < updates; ++acknowledged_) {
    const Sent sent = on_the_way_.front();
    on_the_way_.pop_front();
    in_flight_ -= sent.bytes;
    delivered_ += sent.bytes;
    measure(sent, now);
  }
}

void RateControl::measure(const Sent& sent, SteadyTime now) {
  round_trip_ms_ = milliseconds(now - sent.at);
  round_trips_.add(round_trip_ms_, now);
  const double seconds = std::max(round_trip_ms_, 0.1) / 1000;
  const double rate = static_cast<double>(delivered_ - sent.delivered) / seconds;
  const bool queued = round_trip_ms_ > base_ms() + kInTimeMs;
  // Without a queue the path was not full, and could carry more than it was given: how much more shows only
  // when it is tried.
  if (rate > rate_) rate_ = rate;
  if (queued) {
    rate_ += kRateGain * (rate - rate_);
  } else if (sent.filled) {
    rate_ *= kProbeGain;
  }
  adapt(sent, round_trip_ms_, now);
}

void RateControl::adapt(const Sent& sent, double round_trip_ms, SteadyTime now) {
  const double delay = round_trip_ms - base_ms();
  if (delay > kLateMs && sent.at >= hold_until_) {
    quality_ = std::max(kLeastQuality, quality_ * kFall);
    hold_until_ = now;
  } else if (delay < kInTimeMs) {
    quality_ = std::min(ceiling_, quality_ + kRise);
  }
}

void RateControl::set_ceiling(int quality) {
  ceiling_ = quality;
  quality_ = std::min(quality_, ceiling_);
}

size_t RateControl::window() const {
  if (rate_ == 0) return kFirstWindow;
  return std::max(kLeastWindow, static_cast<size_t>(rate_ * (base_ms() + kSlackMs) / 1000));
}

size_t RateControl::room() const {
  const size_t size = window();
  return std::max<size_t>(size > in_flight_ ? size - in_flight_ : 0, 4096);
}

size_t RateControl::soon() const {
  return rate_ == 0 ? std::numeric_limits<size_t>::max() : static_cast<size_t>(rate_ * kMomentSeconds);
}

SteadyClock::duration RateControl::rest() const {
  const auto round_trip = std::chrono::duration<double, std::milli>(1.5 * base_ms());
  return std::max<SteadyClock::duration>(kLeastRest,
                                         std::chrono::duration_cast<SteadyClock::duration>(round_trip));
}

}  // namespace latentdesk
