#include "client/link_watch.h"

#include <algorithm>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace latentdesk {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr auto kPeriod = 250ms;
constexpr auto kSilence = 700ms;  // more than an active desktop is silent for, and more often costs power
constexpr auto kDead = 1500ms;

}  // namespace

void LinkWatch::start(const std::shared_ptr<WebSocket>& socket, std::function<void()> on_dead) {
  socket_ = socket;
  on_dead_ = std::move(on_dead);
  is_asking_ = false;
  heard();
  // The pong that answers our ping is no message that a read would end with.
  socket_->control_callback([this](websocket::frame_type, boost::beast::string_view) { heard(); });
  look_later();
}

void LinkWatch::stop() {
  timer_.cancel();
  if (socket_) socket_->control_callback();
  socket_.reset();
}

void LinkWatch::look_later() {
  timer_.expires_after(kPeriod);
  timer_.async_wait([this](error_code cancelled) {
    if (!cancelled && socket_) look();
  });
}

void LinkWatch::look() {
  measure();
  const auto silence = SteadyClock::now() - heard_;
  const auto limit = std::max<SteadyClock::duration>(kDead, kSilence + 4 * round_trip_);
  if (is_asked_ && silence >= limit) {
    const auto on_dead = std::move(on_dead_);
    stop();
    return on_dead();
  }
  if (!is_asked_ && silence >= kSilence) ask();
  look_later();
}

void LinkWatch::measure() {
  tcp_info info{};
  socklen_t size = sizeof info;
  const int handle = socket_->next_layer().socket().native_handle();
  if (getsockopt(handle, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
    round_trip_ = std::chrono::microseconds(info.tcpi_rtt);
}

void LinkWatch::ask() {
  is_asked_ = true;
  if (is_asking_) return;  // what could not leave is an answer that will not come
  is_asking_ = true;
  socket_->async_ping({}, [this, socket = socket_](error_code) {
    if (socket == socket_) is_asking_ = false;
  });
}

}  // namespace latentdesk
