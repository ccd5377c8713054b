#pragma once

#include "client/websocket.h"
#include "common/clock.h"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace latentdesk {

/// Notices that a connection is dead long before TCP does: a server that was silent for a moment is pinged,
/// and one that says nothing then, not a byte, for 1.5 s in all (or four round trips, on links that are
/// slower) has been lost. What counts is the time in which we wait for bytes: a viewer that is busy with what
/// came does not hear the next. Network thread.
class LinkWatch {
 public:
  explicit LinkWatch(boost::asio::io_context& context) : timer_(context) {}

  /// Calls `on_dead`, once, when the connection is. `socket` is open.
  void start(const std::shared_ptr<WebSocket>& socket, std::function<void()> on_dead);
  void stop();

  /// As TCP measured it, smoothed, of the last connection; zero when it is not known.
  std::chrono::microseconds round_trip() const { return round_trip_; }

  /// We begin to wait for bytes, or some came.
  void heard() {
    heard_ = SteadyClock::now();
    is_asked_ = false;
  }

 private:
  void look_later();
  void look();
  void measure();
  void ask();

  boost::asio::steady_timer timer_;
  std::shared_ptr<WebSocket> socket_;
  std::function<void()> on_dead_;
  SteadyTime heard_{};
  bool is_asked_ = false;   ///< since we last heard of the server
  bool is_asking_ = false;  ///< the ping has not left yet
  std::chrono::microseconds round_trip_{0};
};

}  // namespace latentdesk
