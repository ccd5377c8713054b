#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace latentdesk {

/// What a ScriptedServer does with one connection, before it waits for the client to close it.
struct ConnectionScript {
  std::string refusal = {};                ///< answer the handshake with HTTP 401 and this body
  bool silent = false;                     ///< never answer the handshake
  std::string text = {};                   ///< a text message that comes first; empty: none
  std::vector<std::string> messages = {};  ///< binary messages
};

/// A WebSocket server on a thread and a port of its own, on loopback, that takes one connection after the
/// other, as many as it has scripts for. Any thread.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::vector<ConnectionScript> scripts)
      : scripts_(std::move(scripts)), records_(scripts_.size()) {
    boost::asio::co_spawn(context_, serve(), boost::asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }

  ~ScriptedServer() {
    context_.stop();
    thread_.join();
  }

  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  // These wait until there is an answer, for at most 5 s.

  /// Code of the close frame by which the client ended a connection; 0 when there was none.
  uint16_t close_code(size_t connection) const {
    return wait(connection, [](const Record& record) { return record.ended; }).close_code;
  }

  /// What the client asked for.
  std::string target(size_t connection) const {
    return wait(connection, [](const Record& record) { return !record.target.empty(); }).target;
  }

 private:
  using tcp = boost::asio::ip::tcp;
  using WebSocketStream = boost::beast::websocket::stream<tcp::socket>;

  /// What is known of a connection so far.
  struct Record {
    std::string target;
    uint16_t close_code = 0;
    bool ended = false;
  };

  template <typename Predicate>
  Record wait(size_t connection, Predicate predicate) const {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(5), [&] { return predicate(records_[connection]); });
    return records_[connection];
  }

  boost::asio::awaitable<void> serve() {
    for (size_t i = 0; i < scripts_.size(); ++i) {
      tcp::socket socket = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      uint16_t close_code = 0;
      try {
        close_code = co_await converse(std::move(socket), i);
      } catch (const boost::system::system_error&) {
        // the client ended the connection without a close frame
      }
      update(i, [&](Record& record) {
        record.close_code = close_code;
        record.ended = true;
      });
    }
  }

  boost::asio::awaitable<uint16_t> converse(tcp::socket socket, size_t index) {
    const ConnectionScript& script = scripts_[index];
    boost::beast::flat_buffer buffer;
    boost::beast::http::request<boost::beast::http::string_body> request;
    co_await boost::beast::http::async_read(socket, buffer, request, boost::asio::use_awaitable);
    update(index, [&](Record& record) { record.target = std::string(request.target()); });
    if (!script.refusal.empty()) co_await refuse(socket, script.refusal);
    if (!script.refusal.empty() || script.silent) co_return co_await wait_for_end(socket);
    WebSocketStream stream(std::move(socket));
    co_await stream.async_accept(request, boost::asio::use_awaitable);
    co_await send(stream, script);
    co_return co_await wait_for_close(stream);
  }

  static boost::asio::awaitable<void> refuse(tcp::socket& socket, const std::string& body) {
    boost::beast::http::response<boost::beast::http::string_body> response(
        boost::beast::http::status::unauthorized, 11, body);
    response.prepare_payload();
    co_await boost::beast::http::async_write(socket, response, boost::asio::use_awaitable);
  }

  static boost::asio::awaitable<uint16_t> wait_for_end(tcp::socket& socket) {
    char byte = 0;
    co_await socket.async_read_some(boost::asio::buffer(&byte, 1),
                                    boost::asio::use_awaitable);  // ends by an error
    co_return uint16_t{0};
  }

  static boost::asio::awaitable<void> send(WebSocketStream& stream, const ConnectionScript& script) {
    if (!script.text.empty())
      co_await stream.async_write(boost::asio::buffer(script.text), boost::asio::use_awaitable);
    stream.binary(true);
    for (const std::string& message : script.messages) {
      co_await stream.async_write(boost::asio::buffer(message), boost::asio::use_awaitable);
    }
  }

  static boost::asio::awaitable<uint16_t> wait_for_close(WebSocketStream& stream) {
    boost::beast::flat_buffer ignored;
    try {
      for (;;) co_await stream.async_read(ignored, boost::asio::use_awaitable);
    } catch (const boost::system::system_error&) {
      co_return stream.reason().code;
    }
  }

  template <typename Change>
  void update(size_t index, Change change) {
    {
      std::lock_guard lock(mutex_);
      change(records_[index]);
    }
    changed_.notify_all();
  }

  const std::vector<ConnectionScript> scripts_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Record> records_;
  boost::asio::io_context context_{1};
  tcp::acceptor acceptor_{context_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::thread thread_;
};

}  // namespace latentdesk
