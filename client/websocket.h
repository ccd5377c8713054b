#pragma once

#include "client/trust.h"
#include "client/url.h"
#include "common/net/transport.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace latentdesk {

// What connection.cpp says to Beast, and how it puts Beast's errors into words. No other file includes this
// header; all of it runs on the network thread.

using WebSocket = boost::beast::websocket::stream<Transport>;

/// The server answered the handshake, and did not let us in; the message says what the user can do about it.
class Refusal : public std::runtime_error {
 public:
  explicit Refusal(const std::string& message, bool is_final = false)
      : std::runtime_error(message), is_final_(is_final) {}
  /// The same request would be refused again.
  bool is_final() const { return is_final_; }

 private:
  bool is_final_;
};

/// How long the stages of connecting may take.
struct Patience {
  std::chrono::milliseconds connect{5000};
  std::chrono::milliseconds handshake{10000};  ///< TLS's, and the WebSocket's
  /// Until another attempt to connect begins beside those under way; zero: there is one only.
  std::chrono::milliseconds before_next{0};
};

/// A stream with our limits and timeouts, not yet connected.
std::shared_ptr<WebSocket> make_websocket(boost::asio::io_context& context, const Patience& patience);

/// TLS 1.2 or later with the system's certificate authorities.
std::shared_ptr<boost::asio::ssl::context> make_tls_context();

// One after the other; each throws Refusal, or system_error when the transport fails.

/// Connects to the first of `endpoints` that answers; with several attempts, to the first endpoint by the one
/// that is answered first.
boost::asio::awaitable<void> open_transport(WebSocket& socket,
                                            boost::asio::ip::tcp::resolver::results_type endpoints,
                                            const Patience& patience);

/// The TLS handshake. Nothing is trusted yet: what the server showed is for the caller to check before
/// anything is sent.
boost::asio::awaitable<ServerIdentity> encrypt(WebSocket& socket, boost::asio::ssl::context& context,
                                               const ServerUrl& url, const Patience& patience);

/// The WebSocket handshake. Asks for latentdesk.2 when `offer_stream`; true when the server speaks it, else
/// this is a baseline session.
boost::asio::awaitable<bool> open_websocket(WebSocket& socket, std::string host, std::string target,
                                            bool offer_stream);

/// Why a connection failed or ended, in one line.
std::string describe(const boost::system::error_code& error, const WebSocket& socket);

/// Whether the server would close the next connection for the same reason.
bool is_final(const boost::beast::websocket::close_reason& closed);

/// Whether the connection was lost, or its server has gone and may come back: nobody refused us.
bool is_loss(const boost::system::error_code& error, const WebSocket& socket);

}  // namespace latentdesk
