#include "server/session_socket.h"

#include "common/protocol.h"

#include <boost/beast/core/error.hpp>
#include <boost/beast/websocket.hpp>

#include <chrono>

namespace latentdesk {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;

namespace {
constexpr auto kUpgradeTimeout = std::chrono::seconds(10);
constexpr auto kIdleTimeout = std::chrono::seconds(30);
}  // namespace

void configure(SessionSocket& socket) {
  auto timeout = websocket::stream_base::timeout::suggested(boost::beast::role_type::server);
  timeout.handshake_timeout = kUpgradeTimeout;
  timeout.idle_timeout = kIdleTimeout;
  timeout.keep_alive_pings = true;
  socket.set_option(timeout);
  socket.read_message_max(kMaxClientMessageBytes);
  socket.auto_fragment(false);
  socket.binary(true);
}

std::string describe_end(const error_code& error) {
  if (error == websocket::error::closed) return "closed by the viewer";
  if (error == websocket::error::message_too_big) return "closed for bad input: message is too long";
  if (error == boost::beast::error::timeout) return "no answer for 30 s";
  return error.message();
}

bool is_loss(const error_code& error) {
  return error == boost::beast::error::timeout ||
         (error && error.category() != error_code(websocket::error::closed).category());
}

void start_closing(std::shared_ptr<void> owner, SessionSocket& socket,
                   const websocket::close_reason& reason) {
  socket.async_close(reason, [owner = std::move(owner)](error_code) {});
}

}  // namespace latentdesk
