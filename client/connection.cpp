#include "client/connection.h"

#include "client/backoff.h"
#include "client/link_watch.h"
#include "client/websocket.h"
#include "common/protocol.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

namespace latentdesk {

namespace net = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using boost::system::system_error;
using tcp = net::ip::tcp;
using namespace std::chrono_literals;

namespace {

// How long a server has to answer our close frame before the socket is closed without it.
constexpr auto kCloseTimeout = 500ms;
// While the link is down nothing answers; once it is up, everything does, in a few round trips.
constexpr auto kQuickAgain = 100ms;
constexpr auto kQuickConnect = 500ms;
constexpr auto kQuickHandshake = 1s;
// A connection that lasted so long was a good one, even if nothing has changed on the screen.
constexpr auto kGoodTime = 2s;

}  // namespace

class Connection::Network {
 public:
  Network(ConnectionConfig config, MessageQueue& messages, Pool<Bytes>& buffers)
      : config_(std::move(config)), messages_(messages), buffers_(buffers) {
    net::co_spawn(context_, stay_connected(), [this](const std::exception_ptr& failure) {
      if (failure) config_.on_failure(failure);
    });
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Network() { stop(); }  // NOLINT(bugprone-exception-escape): posting fails only for want of memory

  void stop() {
    stopping_ = true;
    messages_.close();  // the network thread may be waiting for room in it
    net::post(context_, [this] { leave(); });
    if (thread_.joinable()) thread_.join();
  }

  void refuse(uint64_t connection, const std::string& reason) {
    net::post(context_, [this, connection, reason] {
      if (connection == connection_) close(websocket::close_code::protocol_error, reason);
    });
  }

  void confirm(uint64_t connection) { confirmed_ = connection; }

  void send(uint64_t connection, std::string text) {
    net::post(context_, [this, connection, text = std::move(text)]() mutable {
      if (connection == connection_) send(std::move(text));
    });
  }

  ConnectionStatus status() const {
    std::lock_guard lock(status_mutex_);
    return status_;
  }

 private:
  // All that follows runs on the network thread.

  net::awaitable<void> stay_connected() {
    while (!stopping_) {
      const SteadyTime began = SteadyClock::now();
      const std::string reason = co_await connect_and_receive();
      if (stopping_) co_return;
      if (refused_for_good_) {
        set_status({.state = ConnectionStatus::State::waiting, .reason = reason});
        throw std::runtime_error(config_.url.authority() + ": " + reason);
      }
      const SteadyTime now = SteadyClock::now();
      if (was_good_) backoff_.reset(now);
      const Backoff::Delay delay = backoff_.next(!was_lost_, began, now);
      tell_retry(reason, delay);
      timer_.expires_after(delay);
      error_code cancelled;
      co_await timer_.async_wait(net::redirect_error(net::use_awaitable, cancelled));
    }
  }

  /// Of many quick attempts only the reason of the first is told: what they fail by says nothing new.
  void tell_retry(const std::string& reason, Backoff::Delay delay) {
    const bool is_quick = was_lost_ && backoff_.is_quick(SteadyClock::now());
    if (is_quick && !was_good_) return;
    if (is_quick) {
      spdlog::warn("{}: {}; connecting again", config_.url.authority(), reason);
      return set_status({.state = ConnectionStatus::State::connecting, .reason = reason});
    }
    spdlog::warn("{}: {}; trying again in {:.1f} s", config_.url.authority(), reason,
                 static_cast<double>(delay.count()) / 1000);
    set_status({.state = ConnectionStatus::State::waiting, .reason = reason, .retry_in = delay});
  }

  /// One connection from start to end; returns why it ended.
  net::awaitable<std::string> connect_and_receive() {
    ++connection_;
    const bool is_quick = backoff_.is_quick(SteadyClock::now());
    if (!is_quick) set_status({.state = ConnectionStatus::State::connecting});
    const Patience patience = is_quick ? quick_patience() : Patience{};
    socket_ = make_websocket(context_, patience);
    was_lost_ = false;
    connected_.reset();
    unsent_.clear();
    is_writing_ = false;
    close_reason_.clear();
    std::string reason;
    try {
      co_await connect(patience, is_quick);
      co_await receive();
    } catch (const system_error& error) {
      reason = describe(error.code(), *socket_);
      was_lost_ = close_reason_.empty() && is_loss(error.code(), *socket_);
      refused_for_good_ = error.code() == websocket::error::closed && is_final(socket_->reason());
    } catch (const Refusal& refusal) {
      reason = refusal.what();
      refused_for_good_ = refusal.is_final();
    } catch (const Distrust& distrust) {
      reason = distrust.what();
      refused_for_good_ = true;
    }
    watch_.stop();
    was_good_ = connected_ && (confirmed_ == connection_ || SteadyClock::now() - *connected_ > kGoodTime);
    timer_.cancel();  // the wait for an answer to our close frame
    socket_->next_layer().close();
    // With it goes the timer of a handshake that was refused, which would keep the thread alive.
    socket_.reset();
    if (std::exchange(is_dead_, false)) co_return "the server does not answer";
    co_return close_reason_.empty() ? reason : close_reason_;
  }

  Patience quick_patience() const {
    using Time = std::chrono::milliseconds;
    const auto round_trip = std::chrono::ceil<Time>(watch_.round_trip());
    return {.connect = std::max<Time>(kQuickConnect, 4 * round_trip),
            .handshake = std::max<Time>(kQuickHandshake, 8 * round_trip),
            .before_next = std::max<Time>(kQuickAgain, round_trip)};
  }

  /// Asks for the server's address anew unless in haste: without the link nobody would answer that either.
  net::awaitable<tcp::resolver::results_type> resolve(bool in_haste) {
    const std::string port = std::to_string(config_.url.port);
    if (in_haste && endpoint_)
      co_return tcp::resolver::results_type::create(*endpoint_, config_.url.host, port);
    co_return co_await resolver_.async_resolve(config_.url.host, port, net::use_awaitable);
  }

  net::awaitable<void> connect(Patience patience, bool in_haste) {
    const auto endpoints = co_await resolve(in_haste);
    if (stopping_) throw system_error(net::error::operation_aborted);  // there was no socket to close yet
    const std::string target = target_with_token(config_.url, config_.token);
    if (!config_.url.tls && !config_.url.is_loopback() && target != config_.url.target)
      spdlog::warn("{}: the token goes over the network in clear (ws)", config_.url.authority());
    co_await open_transport(*socket_, endpoints, patience);
    if (stopping_)
      throw system_error(net::error::operation_aborted);  // that socket has replaced the closed one
    endpoint_ = socket_->next_layer().socket().remote_endpoint();
    if (config_.url.tls) {
      const ServerIdentity identity = co_await encrypt(*socket_, tls_context(), config_.url, patience);
      check_identity(config_.trust, identity);
    }
    is_stream_ = co_await open_websocket(*socket_, config_.url.authority(), target, bool(config_.hello));
    connected_ = SteadyClock::now();
    watch_.start(socket_, [this] {
      is_dead_ = true;
      socket_->next_layer().close();
    });
    if (is_stream_) send(config_.hello(connection_));
    spdlog::info("{}: connected{}", config_.url.authority(), connects_ > 0 ? " again" : "");
    ++connects_;
    set_status({.state = ConnectionStatus::State::connected});
  }

  /// Made when it is first needed: reading the system's certificate authorities takes a while.
  net::ssl::context& tls_context() {
    if (!tls_) tls_ = make_tls_context();
    return *tls_;
  }

  /// Ends by the error that ends the connection, be it one of ours.
  net::awaitable<void> receive() {
    for (;;) {
      Pool<Bytes>::Pointer bytes = buffers_.take();
      bytes->clear();
      auto buffer = net::dynamic_buffer(*bytes);
      do {
        co_await socket_->async_read_some(buffer, 0, net::use_awaitable);
        watch_.heard();
      } while (!socket_->is_message_done());
      const bool closing = !close_reason_.empty();  // the server may send on until it sees our close frame
      if (closing || !socket_->got_binary()) continue;
      if (!messages_.push({std::move(bytes), SteadyClock::now(), connection_, is_stream_})) leave();
      watch_.heard();  // while the queue was full nobody listened
    }
  }

  void send(std::string text) {
    if (!socket_ || !socket_->is_open() || !close_reason_.empty()) return;
    unsent_.push_back(std::move(text));
    if (!is_writing_) write_next();
  }

  /// Writes what is unsent, one message after the other. A write that fails ends `receive` too.
  void write_next() {
    is_writing_ = !unsent_.empty();
    if (!is_writing_) return;
    const auto text = std::make_shared<const std::string>(std::move(unsent_.front()));
    unsent_.pop_front();
    socket_->binary(true);
    socket_->async_write(net::buffer(*text), [this, text, socket = socket_](error_code error, size_t) {
      if (!error && socket == socket_) write_next();
    });
  }

  /// Ends `receive`, by the server's answer to the close frame or by the timeout. The handlers share the
  /// socket, since the next connection may replace it before they run.
  void close(websocket::close_code code, const std::string& reason) {
    if (!socket_ || !socket_->is_open() || !close_reason_.empty()) return;
    close_reason_ = reason;
    const std::string text = printable(reason);
    socket_->async_close({code, text}, [socket = socket_](error_code) {});
    timer_.expires_after(kCloseTimeout);
    timer_.async_wait([socket = socket_](error_code cancelled) {
      if (!cancelled) socket->next_layer().close();
    });
  }

  void leave() {
    resolver_.cancel();
    if (!socket_) {
      timer_.cancel();
    } else if (socket_->is_open()) {
      close(websocket::close_code::normal, "viewer ends");
    } else {
      socket_->next_layer().close();
    }
  }

  /// The reason of the last failure stays until the next one.
  void set_status(ConnectionStatus status) {
    {
      std::lock_guard lock(status_mutex_);
      if (status.reason.empty()) status.reason = std::move(status_.reason);
      status_ = std::move(status);
      status_.connects = connects_;
    }
    if (config_.on_status) config_.on_status();
  }

  const ConnectionConfig config_;
  MessageQueue& messages_;
  Pool<Bytes>& buffers_;
  net::io_context context_{1};
  std::thread thread_;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> confirmed_ = 0;  ///< newest connection that brought a good frame
  mutable std::mutex status_mutex_;
  ConnectionStatus status_;

  // Of the network thread alone.
  tcp::resolver resolver_{context_};
  net::steady_timer timer_{context_};  ///< of the back-off while waiting, of our close while connected
  LinkWatch watch_{context_};
  std::optional<tcp::endpoint> endpoint_;  ///< of the last connection
  std::shared_ptr<WebSocket> socket_;
  bool is_stream_ = false;  ///< the server speaks latentdesk.2
  std::deque<std::string> unsent_;
  bool is_writing_ = false;
  std::string close_reason_;                ///< why we are closing the connection; empty while we are not
  std::shared_ptr<net::ssl::context> tls_;  ///< null until needed
  bool refused_for_good_ = false;
  // The connection that is or was last:
  std::optional<SteadyTime> connected_;
  bool is_dead_ = false;   ///< it does not answer
  bool was_lost_ = false;  ///< nobody has ended it
  bool was_good_ = false;
  Backoff backoff_;
  uint64_t connection_ = 0;  ///< attempts
  uint64_t connects_ = 0;
};

Connection::Connection(ConnectionConfig config, MessageQueue& messages, Pool<Bytes>& buffers)
    : network_(std::make_unique<Network>(std::move(config), messages, buffers)) {}
Connection::~Connection() = default;

void Connection::stop() { network_->stop(); }
void Connection::refuse(uint64_t connection, const std::string& reason) {
  network_->refuse(connection, reason);
}
void Connection::send(uint64_t connection, std::string text) { network_->send(connection, std::move(text)); }
void Connection::confirm(uint64_t connection) { network_->confirm(connection); }
ConnectionStatus Connection::status() const { return network_->status(); }

}  // namespace latentdesk
