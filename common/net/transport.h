#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket/teardown.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace latentdesk {

/// A TCP connection, in clear until start_tls has been called and encrypted from then on: Beast's
/// AsyncStream, to lie below a WebSocket of one type for ws and wss. One thread; operations keep the rules of
/// Asio's streams.
class Transport {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;
  using Socket = boost::asio::ip::tcp::socket;
  using TlsStream = boost::asio::ssl::stream<boost::beast::tcp_stream&>;

  explicit Transport(Socket socket) : state_(std::make_shared<State>(std::move(socket))) {}
  explicit Transport(boost::asio::io_context& context) : Transport(Socket(context)) {}

  executor_type get_executor() { return state_->tcp.get_executor(); }
  Socket& socket() { return state_->tcp.socket(); }

  /// The layer that carries everything, for connecting and for its time limit (expires_after, expires_never),
  /// which also holds for reads and writes through this class.
  boost::beast::tcp_stream& tcp() { return state_->tcp; }

  bool is_encrypted() const { return state_->tls.has_value(); }

  /// From here bytes pass through TLS. The caller does the handshake, on the stream returned. The context
  /// must live until then.
  TlsStream& start_tls(boost::asio::ssl::context& context) {
    return state_->tls.emplace(state_->tcp, context);
  }

  TlsStream& tls() { return *state_->tls; }

  /// Ends every operation under way with operation_aborted.
  void close() { state_->tcp.close(); }

  /// Closes the connection from elsewhere on the same thread, whoever owns it then, if it is there still.
  auto closer() const {
    return [weak = std::weak_ptr<State>(state_)] {
      if (const auto state = weak.lock()) state->tcp.close();
    };
  }

  template <typename Buffers, typename Token>
  BOOST_BEAST_ASYNC_RESULT2(Token)
  async_read_some(const Buffers& buffers, Token&& token) {
    const auto start = [state = state_.get()](auto handler, const auto& into) {
      if (state->tls) {
        state->tls->async_read_some(into, std::move(handler));
      } else {
        state->tcp.async_read_some(into, std::move(handler));
      }
    };
    return boost::asio::async_initiate<Token, void(boost::system::error_code, size_t)>(start, token, buffers);
  }

  template <typename Buffers, typename Token>
  BOOST_BEAST_ASYNC_RESULT2(Token)
  async_write_some(const Buffers& buffers, Token&& token) {
    const auto start = [state = state_.get()](auto handler, const auto& from) {
      if (state->tls) {
        state->tls->async_write_some(from, std::move(handler));
      } else {
        state->tcp.async_write_some(from, std::move(handler));
      }
    };
    return boost::asio::async_initiate<Token, void(boost::system::error_code, size_t)>(start, token, buffers);
  }

 private:
  struct State {
    explicit State(Socket socket) : tcp(std::move(socket)) {}
    boost::beast::tcp_stream tcp;
    std::optional<TlsStream> tls;
  };

  std::shared_ptr<State> state_;
};

// What Beast's WebSocket asks of a stream that it does not know, found by their arguments.

inline void beast_close_socket(Transport& transport) { transport.close(); }

/// The close frames have said already that nothing is missing, which is what TLS would say by its alert: so
/// both kinds end as TCP does.
template <typename Handler>
void async_teardown(boost::beast::role_type role, Transport& transport, Handler&& handler) {
  using boost::beast::websocket::async_teardown;
  async_teardown(role, transport.socket(), std::forward<Handler>(handler));
}

inline void teardown(boost::beast::role_type role, Transport& transport, boost::system::error_code& error) {
  boost::beast::websocket::teardown(role, transport.socket(), error);
}

}  // namespace latentdesk
