#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace latentdesk {

// What connection.cpp says to Beast, and how it puts Beast's errors into words. No other file includes this
// header; all of it runs on the network thread.

using WebSocket = boost::beast::websocket::stream<boost::beast::tcp_stream>;

/// The server answered the handshake, and did not let us in; the message says what the user can do about it.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A stream with our limits and timeouts, not yet connected.
std::shared_ptr<WebSocket> make_websocket(boost::asio::io_context& context);

/// Connects to the first of `endpoints` that answers, and does the WebSocket handshake. Asks for no
/// subprotocol, which makes this a baseline session. Throws Refusal, or system_error when the transport
/// fails.
boost::asio::awaitable<void> open_websocket(WebSocket& socket,
                                            boost::asio::ip::tcp::resolver::results_type endpoints,
                                            std::string host, std::string target);

/// Why a connection failed or ended, in one line.
std::string describe(const boost::system::error_code& error, const WebSocket& socket);

}  // namespace latentdesk
