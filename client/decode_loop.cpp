#include "client/decode_loop.h"

#include <utility>

namespace latentdesk {

DecodeLoop::DecodeLoop(MessageQueue& messages, std::unique_ptr<BaselineDecoder> decoder,
                       std::optional<uint64_t> max_frames, bool skip_stale, DecodeEvents events)
    : messages_(messages),
      decoder_(std::move(decoder)),
      max_frames_(max_frames),
      skip_stale_(skip_stale),
      events_(std::move(events)) {
  thread_ = std::thread([this] { run(); });
}

DecodeLoop::~DecodeLoop() { join(); }

void DecodeLoop::join() {
  if (thread_.joinable()) thread_.join();
}

void DecodeLoop::run() try {
  while (frames_ != max_frames_) {
    std::optional<Message> message = messages_.pop();
    if (!message) return;
    if (skip_stale_) take_newest(*message);
    if (message->connection != refused_connection_) handle(*message);
  }
} catch (...) {
  events_.on_failure(std::current_exception());
}

void DecodeLoop::take_newest(Message& message) {
  while (std::optional<Message> newer = messages_.try_pop()) {
    message = std::move(*newer);
    ++skipped_;
  }
}

void DecodeLoop::handle(const Message& message) try {
  Picture picture = decoder_->decode(message);
  picture.info.number = ++frames_;
  events_.on_picture(std::move(picture));
} catch (const ProtocolError& error) {
  refused_connection_ = message.connection;
  events_.on_protocol_error(message.connection, error.what());
}

}  // namespace latentdesk
