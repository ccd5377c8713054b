#include "server/stream_session.h"

#include "common/stream/messages.h"
#include "common/stream/rate_control.h"
#include "server/gate.h"
#include "server/hub.h"
#include "server/reading_pace.h"
#include "server/seats.h"
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
#include <deque>

namespace latentdesk {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

constexpr size_t kStoredTileBytes = size_t{kTileSide} * kTileSide * kBytesPerPixel;
// Answers to pings that a viewer does not read. More means that it does not want them.
constexpr size_t kMaxUnsent = 64;

const websocket::close_reason kStopping(websocket::close_code::going_away, "server is stopping");

double now_ms() { return epoch_seconds() * 1000; }

/// The connection was ended for a reason of ours.
struct Ended {
  websocket::close_reason close;
};

/// Lives as long as one of its coroutines runs.
class StreamSession : public StreamViewer, public std::enable_shared_from_this<StreamSession> {
 public:
  StreamSession(Transport transport, std::unique_ptr<Admission> admission, Hub& hub,
                const StreamConfig& config)
      : websocket_(std::move(transport)),
        admission_(std::move(admission)),
        peer_(admission_->peer().name),
        hub_(hub),
        config_(config),
        rate_(config.quality),
        wake_writer_(websocket_.get_executor()),
        pace_(websocket_.get_executor()) {}

  asio::awaitable<void> run(HttpRequest request) {
    configure(websocket_);
    websocket_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(beast::http::field::sec_websocket_protocol, {kSubprotocol.data(), kSubprotocol.size()});
    }));
    co_await websocket_.async_accept(request, asio::use_awaitable);
    open_ = true;
    const auto self = shared_from_this();
    asio::co_spawn(
        websocket_.get_executor(), [self] { return self->write_messages(); }, asio::detached);
    std::string reason = co_await read_messages();
    if (is_last_) reason = kStopping.reason.c_str();
    open_ = false;
    unsent_.clear();
    wake_writer_.cancel();
    pace_.cancel();
    seat_.reset();
    if (id_ != 0) was_lost_ ? hub_.park(id_, progress()) : hub_.leave(id_);
    spdlog::info("{}: viewer left after {} updates, {} kB: {}", peer_, updates_sent_, bytes_sent_ / 1000,
                 reason);
  }

  void take(StreamDelivery delivery) override {
    requested_ = false;
    if (!open_ || is_last_) return;
    if (delivery.resized) send(serialize(ServerMessage(Resize{*delivery.resized})));
    for (UpdatePtr& update : delivery.updates) {
      rate_.sent(update->bytes(), SteadyClock::now());
      pay(update->bytes());
      unsent_.push_back({{}, std::move(update)});
    }
    wake_writer_.cancel();
    ask_for_more();
  }

  bool is_ready() const override { return requested_; }

  SessionProgress hand_over() override {
    id_ = 0;
    open_ = false;
    goes_on_elsewhere_ = true;
    websocket_.next_layer().close();
    return progress();
  }

  void close() override {
    if (id_ == 0) return start_closing(shared_from_this(), websocket_, kStopping);
    unsent_.clear();
    is_last_ = true;
    send(serialize(ServerMessage(Bye{kStopping.reason.c_str()})));
  }

 private:
  /// A message on its way out: text that is a whole message, or an update.
  struct Outgoing {
    std::string text;
    UpdatePtr update;
  };

  /// Reads until the connection ends; the reason.
  asio::awaitable<std::string> read_messages() {
    beast::flat_buffer buffer;
    while (true) {
      error_code error;
      co_await websocket_.async_read(buffer, asio::redirect_error(asio::use_awaitable, error));
      was_lost_ = is_loss(error);
      if (goes_on_elsewhere_) co_return "its viewer has come back";
      if (error) co_return describe_end(error);
      try {
        const auto data = buffer.cdata();
        handle(parse_viewer_message({static_cast<const uint8_t*>(data.data()), data.size()},
                                    websocket_.got_text()));
      } catch (const ProtocolError& violation) {
        start_closing(shared_from_this(), websocket_,
                      {websocket::close_code::policy_error, violation.what()});
        co_return std::string("closed for bad input: ") + violation.what();
      } catch (const Ended& ended) {
        start_closing(shared_from_this(), websocket_, ended.close);
        co_return std::string(ended.close.reason.data(), ended.close.reason.size());
      }
      reading_.add_bytes(buffer.size());
      buffer.consume(buffer.size());
      co_await rest_from_floods();
      if (seat_) co_await seat_->wait_for_room();
    }
  }

  asio::awaitable<void> rest_from_floods() {
    const auto now = SteadyClock::now();
    const auto until = reading_.next(now);
    if (!until) co_return;
    if (reading_.should_complain(now)) {
      spdlog::warn("{}: sends more than any viewer has reason to; it is read at {} messages a second", peer_,
                   ReadingPace::kMessagesInPeriod * (std::chrono::seconds(1) / ReadingPace::kPeriod));
    }
    asio::steady_timer rest(websocket_.get_executor(), *until);
    co_await rest.async_wait(asio::use_awaitable);
  }

  void handle(const ViewerMessage& message) {
    const bool is_hello = std::holds_alternative<ViewerHello>(message);
    if (is_hello == (id_ != 0)) throw ProtocolError(is_hello ? "a second hello" : "no hello came first");
    if (seat_) seat_->hear();
    std::visit([this](const auto& content) { obey(content); }, message);
    ask_for_more();
  }

  void obey(const Ack& ack) { rate_.acknowledged(ack.updates, SteadyClock::now()); }
  void obey(const Ping& ping) {
    if (unsent_.size() >= kMaxUnsent) throw ProtocolError("does not read what it asks for");
    send(serialize(ServerMessage(Pong{ping.time, now_ms(), now_ms()})));
  }
  void obey(const Pong& pong) {
    if (pong.time != std::exchange(pinged_, 0)) return;
    rate_.answered(std::max(0.0, now_ms() - pong.time), SteadyClock::now());
  }
  void obey(const QualityWish& wish) { rate_.set_ceiling(std::min(wish.value, config_.quality)); }
  void obey(const Refresh&) { afresh_ = true; }
  void obey(const Input& input) {
    reading_.add_events(input.events.size());
    seat_->obey(input);
  }
  void obey(const ControlWish& wish) { seat_->obey(wish); }
  void obey(const SizeWish& wish) { seat_->obey(wish); }
  void obey(const Clipboard& clipboard) { seat_->obey(clipboard); }

  void obey(const ViewerHello& hello) {
    if (hello.token || !admission_->access()) {
      const Decision decision = admission_->enter(hello.token);
      if (!decision.access)
        throw Ended{{static_cast<websocket::close_code>(close_code(decision.refusal)), decision.reason}};
    }
    slots_ = static_cast<uint32_t>(std::min<uint64_t>(hello.cache_bytes / kStoredTileBytes, kMaxSlots));
    const bool may_control = admission_->access()->control && !hello.view_only;
    const SessionStart start =
        hub_.join(shared_from_this(), {admission_->access()->control, slots_}, hello.resume);
    id_ = start.viewer;
    spdlog::info("{}: viewer {}{}{}", peer_, start.resumed ? "came back" : "connected",
                 websocket_.next_layer().is_encrypted() ? ", encrypted" : "",
                 may_control ? "" : ", view only");
    if (may_control) websocket_.read_message_max(kMaxViewerMessageBytes);
    send(serialize(ServerMessage(ServerHello{.model_ver = config_.model_ver,
                                             .device = config_.device,
                                             .time = now_ms(),
                                             .slots = slots_,
                                             .session = start.secret,
                                             .resumed = start.resumed,
                                             .clipboard = may_control && config_.seats->has_clipboard(),
                                             .resizable = may_control && config_.seats->can_resize()})));
    pinged_ = now_ms();
    send(serialize(ServerMessage(Ping{pinged_})));
    seat_ = config_.seats->join(peer_, may_control, [this] { wake_writer_.cancel(); });
  }

  /// Of the updates that this connection has brought or would have.
  SessionProgress progress() const { return {rate_.acknowledged(), rate_.sent()}; }

  /// Tells the encode thread when the next update can be sent, once.
  void ask_for_more() {
    if (id_ == 0 || requested_ || !unsent_.empty() || !rate_.may_send(SteadyClock::now()) || !may_spend())
      return;
    requested_ = true;
    hub_.request(id_, {.slots = slots_,
                       .ready = true,
                       .afresh = std::exchange(afresh_, false),
                       .quality = rate_.quality(),
                       .room = rate_.room(),
                       .rest = rate_.rest(),
                       .applied = rate_.acknowledged(),
                       .soon = rate_.soon()});
  }

  void pay(size_t bytes) {
    if (config_.bytes_per_second == 0) return;
    const auto cost = std::chrono::duration<double>(static_cast<double>(bytes) / config_.bytes_per_second);
    paid_until_ =
        std::max(paid_until_, SteadyClock::now()) + std::chrono::duration_cast<SteadyClock::duration>(cost);
  }

  bool may_spend() {
    if (SteadyClock::now() >= paid_until_) return true;
    pace_.expires_at(paid_until_);
    pace_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->ask_for_more();
    });
    return false;
  }

  /// Whole messages.
  void send(std::string text) {
    unsent_.push_back({std::move(text), nullptr});
    wake_writer_.cancel();
  }

  /// What the desk has to say goes before updates, and keeps its place behind other messages.
  SharedText next_of_seat() {
    if (!seat_ || (!unsent_.empty() && !unsent_.front().update)) return nullptr;
    return seat_->next();
  }

  asio::awaitable<void> write_messages() {
    while (open_) {
      error_code error;
      if (const SharedText message = next_of_seat()) {
        co_await websocket_.async_write(asio::buffer(*message),
                                        asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        continue;
      }
      if (unsent_.empty()) {
        if (is_last_) co_return start_closing(shared_from_this(), websocket_, kStopping);
        wake_writer_.expires_at(asio::steady_timer::time_point::max());
        co_await wake_writer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      const Outgoing message = std::move(unsent_.front());
      unsent_.pop_front();
      if (message.update) {
        const std::array<asio::const_buffer, 2> parts{asio::buffer(message.update->prefix),
                                                      asio::buffer(message.update->payload)};
        ++updates_sent_;
        bytes_sent_ += message.update->bytes();
        co_await websocket_.async_write(parts, asio::redirect_error(asio::use_awaitable, error));
      } else {
        co_await websocket_.async_write(asio::buffer(message.text),
                                        asio::redirect_error(asio::use_awaitable, error));
      }
      if (error) break;  // the reader finds the same, and knows why
      ask_for_more();
    }
  }

  SessionSocket websocket_;
  const std::unique_ptr<Admission> admission_;
  const std::string peer_;
  Hub& hub_;
  const StreamConfig& config_;
  RateControl rate_;
  asio::steady_timer wake_writer_;
  asio::steady_timer pace_;
  std::deque<Outgoing> unsent_;
  uint64_t id_ = 0;  ///< the hub's number; 0 before hello
  uint32_t slots_ = 0;
  double pinged_ = 0;  ///< when the ping went that is to be answered; 0: none
  bool open_ = false;
  bool requested_ = false;  ///< the encode thread knows that an update can be sent
  bool afresh_ = false;
  bool was_lost_ = false;  ///< the connection; neither side has ended it
  bool goes_on_elsewhere_ = false;
  bool is_last_ = false;        ///< when all is sent, the server closes
  std::unique_ptr<Seat> seat_;  ///< from hello on
  SteadyTime paid_until_{};
  ReadingPace reading_;
  uint64_t updates_sent_ = 0;
  uint64_t bytes_sent_ = 0;
};

}  // namespace

asio::awaitable<void> serve_stream_viewer(Transport transport, HttpRequest request,
                                          std::unique_ptr<Admission> admission, Hub& hub,
                                          const StreamConfig& config) {
  const auto session =
      std::make_shared<StreamSession>(std::move(transport), std::move(admission), hub, config);
  co_await session->run(std::move(request));
}

}  // namespace latentdesk
