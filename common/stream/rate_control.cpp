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
constexpr auto kStretch = std::chrono::seconds(30);
// An update that takes so much longer than the shortest round trip means a queue, or is too large.
constexpr double kLateMs = 100;
constexpr double kInTimeMs = 40;
// An update that takes half as long again as they do of late, and so much more, is late before it has
// arrived.
constexpr double kHoldFactor = 1.5;
constexpr double kHoldMs = 15;
// What is acknowledged within this time is waited for: less than a frame of a video is then lost in the queue
// of a path that becomes slow, and at most a few milliseconds of one that does not.
constexpr double kSoonMs = 20;
constexpr double kRoundTripGain = 0.125;
constexpr double kFall = 0.75;
// Of an update that takes much longer still.
constexpr double kVeryLateMs = 300;
constexpr double kFarFall = 0.5;
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

bool RateControl::may_send(SteadyTime now) const {
  if (on_the_way_.empty()) return true;
  if (in_flight_ >= window() || on_the_way_.size() >= kMostUpdates) return false;
  if (in_flight_ < kLeastWindow || rate_ == 0) return true;
  const double age = milliseconds(now - on_the_way_.front().at);
  return round_trip_ms_ >= kSoonMs && age < kHoldFactor * round_trip_ms_ + kHoldMs;
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
  const double round_trip = milliseconds(now - sent.at);
  round_trip_ms_ += (rate_ > 0 ? kRoundTripGain : 1) * (round_trip - round_trip_ms_);
  round_trips_.add(round_trip, now);
  const double seconds = std::max(round_trip, 0.1) / 1000;
  const double rate = static_cast<double>(delivered_ - sent.delivered) / seconds;
  const double delay = round_trip - base_ms();
  // Without a queue the path was not full, and could carry more than it was given: how much more shows only
  // when it is tried.
  if (rate > rate_) rate_ = rate;
  if (delay > kVeryLateMs) {
    rate_ = rate;  // should it have been the viewer that was busy, the next update in time shows it
  } else if (delay > kInTimeMs) {
    rate_ += kRateGain * (rate - rate_);
  } else if (sent.filled) {
    rate_ *= kProbeGain;
  }
  adapt(sent, round_trip, now);
}

void RateControl::adapt(const Sent& sent, double round_trip_ms, SteadyTime now) {
  const double delay = round_trip_ms - base_ms();
  if (delay > kLateMs && sent.at >= hold_until_) {
    quality_ = std::max(kLeastQuality, quality_ * (delay > kVeryLateMs ? kFarFall : kFall));
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
