#include "server/session.h"

#include "server/hub.h"
#include "server/session_socket.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <optional>
#include <string>

namespace latentdesk {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

/// A viewer of the baseline format. Lives as long as one of its coroutines runs.
class Session : public Viewer, public std::enable_shared_from_this<Session> {
 public:
  Session(Transport transport, std::unique_ptr<Admission> admission, Hub& hub)
      : websocket_(std::move(transport)),
        admission_(std::move(admission)),
        peer_(admission_->peer().name),
        hub_(hub),
        wake_writer_(websocket_.get_executor()) {}

  asio::awaitable<void> run(HttpRequest request) {
    configure(websocket_);
    co_await websocket_.async_accept(request, asio::use_awaitable);
    if (!admission_->access()) co_return co_await refuse();
    open_ = true;
    spdlog::info("{}: viewer connected{}{}", peer_,
                 websocket_.next_layer().is_encrypted() ? ", encrypted" : "",
                 admission_->access()->control ? "" : ", view only");
    const auto self = shared_from_this();
    asio::co_spawn(
        websocket_.get_executor(), [self] { return self->write_packets(); }, asio::detached);
    hub_.join(self);
    const std::string reason = co_await read_messages();
    end();
    hub_.leave(self);
    spdlog::info("{}: viewer left after {} frames: {}", peer_, frames_sent_, reason);
  }

  void offer(PacketPtr packet) override {
    pending_ = std::move(packet);
    wake_writer_.cancel();
  }

  bool is_ready() const override { return open_ && !pending_ && !writing_; }

  void close() override {
    start_closing(shared_from_this(), websocket_, {websocket::close_code::going_away, "server is stopping"});
  }

 private:
  /// Its token was to come later, and a baseline viewer has no way to give it.
  asio::awaitable<void> refuse() {
    const Decision decision = admission_->enter(std::nullopt);
    const auto code = static_cast<websocket::close_code>(close_code(decision.refusal));
    const websocket::close_reason reason(code, decision.reason);
    error_code ignored;
    co_await websocket_.async_close(reason, asio::redirect_error(asio::use_awaitable, ignored));
  }

  /// Reads until the connection ends; the reason.
  asio::awaitable<std::string> read_messages() {
    beast::flat_buffer buffer;
    while (true) {
      error_code error;
      co_await websocket_.async_read(buffer, asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return describe_end(error);
      try {
        const auto data = buffer.cdata();
        validate_client_message({static_cast<const uint8_t*>(data.data()), data.size()},
                                websocket_.got_text());
      } catch (const ProtocolError& violation) {
        start_closing(shared_from_this(), websocket_,
                      {websocket::close_code::policy_error, violation.what()});
        co_return std::string("closed for bad input: ") + violation.what();
      }
      buffer.consume(buffer.size());
    }
  }

  asio::awaitable<void> write_packets() {
    while (open_) {
      error_code error;
      if (!pending_) {
        wake_writer_.expires_at(asio::steady_timer::time_point::max());
        co_await wake_writer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      writing_ = std::exchange(pending_, nullptr);
      const std::array<asio::const_buffer, 2> message{asio::buffer(writing_->prefix),
                                                      asio::buffer(*writing_->payload)};
      co_await websocket_.async_write(message, asio::redirect_error(asio::use_awaitable, error));
      writing_.reset();
      if (error) break;  // the reader finds the same, and knows why
      ++frames_sent_;
      hub_.update_demand();
    }
  }

  void end() {
    open_ = false;
    pending_.reset();
    wake_writer_.cancel();
  }

  SessionSocket websocket_;
  const std::unique_ptr<Admission> admission_;
  const std::string peer_;
  Hub& hub_;
  asio::steady_timer wake_writer_;
  PacketPtr pending_;  ///< newest packet that is not yet being sent; a newer one replaces it
  PacketPtr writing_;
  uint64_t frames_sent_ = 0;
  bool open_ = false;
};

}  // namespace

asio::awaitable<void> serve_viewer(Transport transport, HttpRequest request,
                                   std::unique_ptr<Admission> admission, Hub& hub) {
  const auto session = std::make_shared<Session>(std::move(transport), std::move(admission), hub);
  co_await session->run(std::move(request));
}

}  // namespace latentdesk
