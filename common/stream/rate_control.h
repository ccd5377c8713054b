#pragma once

#include "common/clock.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace latentdesk {

/// The least of the last seconds: of a stretch of time and of the one before.
class RecentLeast {
 public:
  void add(double value, SteadyTime now);
  /// 0 before the first.
  double value() const;

 private:
  std::optional<double> now_, before_;
  SteadyTime end_{};  ///< of this stretch
};

/// How much may be on its way to a viewer, and how finely it is coded, from when updates were sent and
/// acknowledged. One thread uses it.
///
/// The window is what the path carries in its *shortest* recent round trip plus a little: were it what it
/// carries in the present one, a queue would lengthen the round trip, and that the window, and that the
/// queue. "Recent" is half a minute to a minute: were it less, a link that has become slow would soon pass
/// for a long one. Quality falls by a factor as soon as updates take much longer than that round trip, and
/// rises by steps while they do not (AIMD: viewers that share a link so come to share it evenly). Once
/// something is late only a little follows it: what the window holds was measured when the path was another.
class RateControl {
 public:
  explicit RateControl(int quality) : ceiling_(quality), quality_(quality) {}

  void sent(size_t bytes, SteadyTime now);
  /// `updates` is the number that the viewer has applied so far. Throws ProtocolError when so many were not
  /// sent.
  void acknowledged(uint64_t updates, SteadyTime now);

  /// A ping that went while nothing was on its way was answered after `round_trip_ms`: what a large first
  /// update does not tell.
  void answered(double round_trip_ms, SteadyTime now) { round_trips_.add(round_trip_ms, now); }

  /// Updates that may be on their way at once, however small: what a viewer that decodes slowly has to catch
  /// up with.
  static constexpr size_t kMostUpdates = 32;

  bool may_send(SteadyTime now) const;
  /// Updates, so far.
  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t sent() const { return acknowledged_ + on_the_way_.size(); }

  /// From 1 to the ceiling.
  int quality() const { return static_cast<int>(quality_); }
  void set_ceiling(int quality);

  /// Bytes that fit into the path now, on top of what is on its way; at least a few thousand.
  size_t room() const;
  /// Bytes that the path carries in a moment; all there are while its rate is not known.
  size_t soon() const;
  /// How long a tile must have rested before it is refined: longer than a round trip.
  SteadyClock::duration rest() const;

 private:
  struct Sent {
    size_t bytes = 0;
    SteadyTime at;
    uint64_t delivered = 0;  ///< delivered_ at that time
    bool filled = false;     ///< with it the window was full
  };

  size_t window() const;
  void measure(const Sent& sent, SteadyTime now);
  void adapt(const Sent& sent, double round_trip_ms, SteadyTime now);
  double base_ms() const { return round_trips_.value(); }

  double ceiling_;
  double quality_;
  std::deque<Sent> on_the_way_;
  uint64_t acknowledged_ = 0;
  uint64_t delivered_ = 0;  ///< bytes
  size_t in_flight_ = 0;    ///< bytes
  double rate_ = 0;         ///< bytes a second; 0: not known
  double round_trip_ms_ = 0;
  RecentLeast round_trips_;
  SteadyTime hold_until_{};  ///< quality does not fall again before what was sent since has had its effect
};

}  // namespace latentdesk
