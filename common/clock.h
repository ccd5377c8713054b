#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace latentdesk {

using SteadyClock = std::chrono::steady_clock;
using SteadyTime = SteadyClock::time_point;

/// Wall-clock time in seconds since the epoch, fractional: the `timestamp` of the wire.
double epoch_seconds();

inline double milliseconds(SteadyClock::duration elapsed) {
  return std::chrono::duration<double, std::milli>(elapsed).count();
}

inline double milliseconds_since(SteadyTime start) { return milliseconds(SteadyClock::now() - start); }

/// Estimates how far a peer's clock is ahead of ours from the four times of a ping and its pong (RFC 5905,
/// section 8). The exchange with the shortest round trip has the least room for error, so its offset is kept;
/// it ages, so that a slow drift of either clock is followed. One thread uses it.
class ClockOffset {
 public:
  /// Times in seconds: ping sent and pong received by our clock, ping received and pong sent by the peer's.
  void add(double ping_sent, double ping_received, double pong_sent, double pong_received);

  /// Peer's clock minus ours, in seconds; nothing before the first exchange.
  std::optional<double> offset() const { return offset_; }
  /// Round trip of the kept exchange, in seconds.
  double round_trip() const { return round_trip_; }

 private:
  std::optional<double> offset_;
  double round_trip_ = 0;
};

}  // namespace latentdesk
