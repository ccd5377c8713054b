#include "client/stream_decoder.h"

#include <spdlog/spdlog.h>

#include <cstring>
#include <utility>

namespace latentdesk {

namespace {

constexpr uint32_t kSlots = kTileCacheBytes / (size_t{kTileSide} * kTileSide * kBytesPerPixel);
constexpr auto kPingPeriod = std::chrono::seconds(2);

double epoch_ms() { return epoch_seconds() * 1000; }

}  // namespace

StreamDecoder::StreamDecoder(LatentSpace space, std::unique_ptr<Decoder> decoder, Pool<Image>& images,
                             ResumePoint& progress, Reply reply, News news)
    : space_(std::move(space)),
      decodes_(decoder != nullptr),
      images_(images),
      progress_(progress),
      reply_(std::move(reply)),
      news_(std::move(news)),
      canvas_(std::move(decoder), space_.channels, kSlots) {}

std::optional<Picture> StreamDecoder::decode(const Message& message, bool show) {
  const auto lock = progress_.lock();
  if (progress_.is_too_late(message.connection)) return std::nullopt;
  if (message.connection != connection_) begin(message);
  handle(message);
  // What is only counted is counted one by one.
  const bool has_news = pending_.bytes > 0;
  return has_news && (show || !decodes_) ? std::optional(take_picture()) : std::nullopt;
}

void StreamDecoder::handle(const Message& message) {
  const MessageView parts = split_message(*message.bytes);
  ServerMessage content = parse_server_message(parts);
  if (const auto* hello = std::get_if<ServerHello>(&content)) {
    greet(*hello);
    news_(connection_, std::move(content));
  } else if (!greeted_) {
    throw ProtocolError("no hello came first");
  } else if (std::holds_alternative<UpdateAhead>(content)) {
    apply(message, parts);
  } else if (const auto* resize = std::get_if<Resize>(&content)) {
    size_ = resize->size;
    if (decodes_) canvas_.reset(size_);
    pending_ = {};
    progress_.set_whole(true);
  } else if (const auto* pong = std::get_if<Pong>(&content)) {
    take(*pong, message.received);
  } else if (const auto* ping = std::get_if<Ping>(&content)) {
    reply_(connection_, Pong{ping->time, epoch_ms() - milliseconds_since(message.received), epoch_ms()});
  } else {
    if (const auto* bye = std::get_if<Bye>(&content))
      spdlog::info("the server says goodbye: {}", printable(bye->reason));
    news_(connection_, std::move(content));
  }
}

void StreamDecoder::begin(const Message& message) {
  connection_ = message.connection;
  greeted_ = false;
  next_ping_ = {};
}

void StreamDecoder::greet(const ServerHello& hello) {
  if (hello.model_ver != space_.model_version) {
    throw ProtocolError("the server encodes with model " + printable(hello.model_ver) +
                        ", this viewer decodes " + space_.model_version);
  }
  if (hello.slots > kSlots) throw ProtocolError("the server wants to store more than was offered");
  if (hello.resumed && !progress_.is_whole())
    throw ProtocolError("the server goes on with what this viewer does not have");
  greeted_ = true;
  progress_.begin(hello.session, hello.resumed);
  if (!hello.resumed) {
    size_ = {};
    pending_ = {};
    clock_ = {};
  }
  ping_now_and_then();
}

void StreamDecoder::apply(const Message& message, const MessageView& parts) {
  const UpdateHeader header = parse_update_header(parts.header);
  if (size_ == Size{}) throw ProtocolError("an update came before the screen's size");
  if (decodes_) {
    progress_.set_whole(false);  // should it fail halfway
    canvas_.apply(header, parts.payload);
    progress_.set_whole(true);
    pending_.unpack_ms += canvas_.unpack_ms();
    pending_.decode_ms += canvas_.decode_ms();
  }
  reply_(connection_, Ack{progress_.count_update()});
  ping_now_and_then();
  pending_.bytes += message.bytes->size();
  pending_.connection = connection_;
  pending_.size = size_;
  pending_.timestamp = capture_time(header.time_ms);
  pending_.clock_measured = clock_.offset().has_value();
  pending_.received = message.received;
}

Picture StreamDecoder::take_picture() {
  Picture picture;
  picture.info = std::exchange(pending_, {});
  if (decodes_) {
    picture.image = images_.take();
    picture.image->resize(size_);
    std::memcpy(picture.image->data(), canvas_.picture().data(), canvas_.picture().bytes());
  }
  picture.info.ready = SteadyClock::now();
  return picture;
}

void StreamDecoder::ping_now_and_then() {
  const auto now = SteadyClock::now();
  if (now < next_ping_) return;
  next_ping_ = now + kPingPeriod;
  reply_(connection_, Ping{epoch_ms()});
}

void StreamDecoder::take(const Pong& pong, SteadyTime received) {
  const double received_ms = epoch_ms() - milliseconds_since(received);
  clock_.add(pong.time / 1000, pong.received / 1000, pong.sent / 1000, received_ms / 1000);
}

double StreamDecoder::capture_time(int64_t time_ms) const {
  return static_cast<double>(time_ms) / 1000 - clock_.offset().value_or(0);
}

}  // namespace latentdesk
