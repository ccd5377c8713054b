#include "client/decode_loop.h"

#include "common/protocol.h"

#include <utility>

namespace latentdesk {

DecodeLoop::DecodeLoop(MessageQueue& messages, std::unique_ptr<MessageDecoder> baseline,
                       std::unique_ptr<MessageDecoder> stream, std::optional<uint64_t> max_frames,
                       DecodeEvents events)
    : messages_(messages),
      baseline_(std::move(baseline)),
      stream_(std::move(stream)),
      max_frames_(max_frames),
      events_(std::move(events)) {
  thread_ = std::thread([this] { run(); });
}

DecodeLoop::~DecodeLoop() { join(); }

void DecodeLoop::join() {
  if (thread_.joinable()) thread_.join();
}

void DecodeLoop::run() try {
  std::optional<Message> message = messages_.pop();
  while (message && frames_ != max_frames_) {
    std::optional<Message> next = messages_.try_pop();
    if (message->connection != refused_connection_) {
      // The last one of a connection is shown, so that a picture outlives it.
      handle(*message, !next || next->connection != message->connection);
    }
    if (!next && frames_ != max_frames_) next = messages_.pop();
    message = std::move(next);
  }
} catch (...) {
  events_.on_failure(std::current_exception());
}

void DecodeLoop::handle(const Message& message, bool show) try {
  MessageDecoder& decoder = message.is_stream ? *stream_ : *baseline_;
  std::optional<Picture> picture = decoder.decode(message, show);
  if (!picture) {
    if (!show) ++skipped_;
    return;
  }
  picture->info.number = ++frames_;
  events_.on_picture(std::move(*picture));
} catch (const ProtocolError& error) {
  refused_connection_ = message.connection;
  events_.on_protocol_error(message.connection, error.what());
}

}  // namespace latentdesk
