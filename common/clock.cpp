#include "common/clock.h"

namespace latentdesk {

namespace {
// An exchange must beat the kept round trip grown by 1% for each exchange since: after 100 exchanges any will
// do.
constexpr double kAgeing = 1.01;
}  // namespace

double epoch_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void ClockOffset::add(double ping_sent, double ping_received, double pong_sent, double pong_received) {
  const double round_trip = (pong_received - ping_sent) - (pong_sent - ping_received);
  if (round_trip < 0) return;  // a clock was set during the exchange
  round_trip_ *= kAgeing;
  if (offset_ && round_trip > round_trip_) return;
  round_trip_ = round_trip;
  offset_ = ((ping_received - ping_sent) + (pong_sent - pong_received)) / 2;
}

}  // namespace latentdesk
