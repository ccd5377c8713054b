#pragma once

#include "common/net/transport.h"

#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace latentdesk {

/// What a GateClient asks for, and how.
struct Ask {
  bool tls = false;
  std::string target = "/";
  std::string origin = {};
  std::string subprotocol = {};
  std::string host = "localhost";
  boost::asio::ip::address server = boost::asio::ip::address_v4::loopback();
  std::string hello = {};  ///< first message; empty: none
};

/// A blocking WebSocket client in clear or over TLS that tells how it was received.
class GateClient {
 public:
  GateClient(uint16_t port, const Ask& ask) {
    namespace beast = boost::beast;
    if (ask.tls) {
      Tls& stream = websocket_.emplace<Tls>(context_, tls_context_);
      beast::get_lowest_layer(stream).connect({ask.server, port});
      stream.next_layer().handshake(boost::asio::ssl::stream_base::client, error_);
    } else {
      websocket_.emplace<Plain>(context_).next_layer().connect({ask.server, port});
    }
    if (!error_) visit([&](auto& socket) { open(socket, ask); });
  }

  /// HTTP status of the answer: 101 when the WebSocket is open, 0 when there was no answer.
  unsigned status() const { return error_ && response_.body().empty() ? 0 : response_.result_int(); }
  const std::string& body() const { return response_.body(); }

  /// The next message; empty when the server closed instead.
  std::string read() {
    boost::beast::flat_buffer buffer;
    visit([&](auto& socket) { socket.read(buffer, error_); });
    return error_ ? "" : boost::beast::buffers_to_string(buffer.data());
  }

  /// By which the server closed, once read() has come back empty.
  uint16_t close_code() {
    uint16_t code = 0;
    visit([&](auto& socket) { code = socket.reason().code; });
    return code;
  }

 private:
  using Plain = boost::beast::websocket::stream<boost::asio::ip::tcp::socket>;
  using Tls = boost::beast::websocket::stream<boost::asio::ssl::stream<boost::asio::ip::tcp::socket>>;

  template <typename Function>
  void visit(Function function) {
    if (auto* plain = std::get_if<Plain>(&websocket_)) function(*plain);
    if (auto* tls = std::get_if<Tls>(&websocket_)) function(*tls);
  }

  template <typename Socket>
  void open(Socket& socket, const Ask& ask) {
    namespace websocket = boost::beast::websocket;
    namespace http = boost::beast::http;
    socket.set_option(websocket::stream_base::decorator([ask](websocket::request_type& request) {
      if (!ask.origin.empty()) request.set(http::field::origin, ask.origin);
      if (!ask.subprotocol.empty()) request.set(http::field::sec_websocket_protocol, ask.subprotocol);
    }));
    socket.handshake(response_, ask.host, ask.target, error_);
    if (!error_ && !ask.hello.empty()) socket.write(boost::asio::buffer(ask.hello), error_);
  }

  boost::asio::io_context context_;
  boost::asio::ssl::context tls_context_{boost::asio::ssl::context::tls_client};
  std::variant<std::monostate, Plain, Tls> websocket_;
  boost::beast::websocket::response_type response_;
  boost::system::error_code error_;
};

}  // namespace latentdesk
