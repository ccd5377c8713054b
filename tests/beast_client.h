#pragma once

#include "common/protocol.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace latentdesk {

/// A plain WebSocket client for the server's tests; blocks.
class BeastClient {
 public:
  explicit BeastClient(uint16_t port, const std::string& origin = {}, const std::string& subprotocol = {})
      : websocket_(context_) {
    namespace beast = boost::beast;
    websocket_.next_layer().connect({boost::asio::ip::address_v4::loopback(), port});
    websocket_.set_option(
        beast::websocket::stream_base::decorator([=](beast::websocket::request_type& request) {
          if (!origin.empty()) request.set(beast::http::field::origin, origin);
          if (!subprotocol.empty()) request.set(beast::http::field::sec_websocket_protocol, subprotocol);
        }));
    websocket_.handshake("127.0.0.1:" + std::to_string(port), "/");
  }

  std::vector<uint8_t> read() {
    boost::beast::flat_buffer buffer;
    websocket_.read(buffer);
    const auto data = buffer.cdata();
    const auto* begin = static_cast<const uint8_t*>(data.data());
    return {begin, begin + data.size()};
  }

  FrameHeader read_header() { return parse_frame_header(split_message(read()).header); }

  void write(const std::string& text, bool binary) {
    websocket_.binary(binary);
    websocket_.write(boost::asio::buffer(text));
  }

  /// Reads until the server closes; the reason it gave.
  std::string read_to_close() {
    boost::beast::error_code error;
    boost::beast::flat_buffer buffer;
    while (!error) {
      websocket_.read(buffer, error);
      buffer.consume(buffer.size());
    }
    return websocket_.reason().reason.c_str();
  }

  uint16_t close_code() const { return websocket_.reason().code; }

  boost::asio::ip::tcp::socket& socket() { return websocket_.next_layer(); }

 private:
  boost::asio::io_context context_;
  boost::beast::websocket::stream<boost::asio::ip::tcp::socket> websocket_;
};

}  // namespace latentdesk
