#include "client/stream.h"

#include "client/stream_decoder.h"

#include <utility>

namespace latentdesk {

namespace {

// What arrives while one message is decoded, at thirty a second on a machine that needs a quarter of a
// second. All but the newest are then skipped, so a longer queue adds no latency; with a shorter one the
// kernel would hold the rest.
constexpr size_t kQueuedMessages = 8;

std::string hello_message(const std::string& token, bool view_only, std::optional<Resumption> resume) {
  return serialize(ViewerHello{.token = token.empty() ? std::nullopt : std::optional(token),
                               .cache_bytes = kTileCacheBytes,
                               .view_only = view_only,
                               .resume = std::move(resume)});
}

}  // namespace

Stream::Stream(StreamConfig config)
    : on_change_(config.on_change ? std::move(config.on_change) : [] {}),
      decodes_(config.decoder != nullptr),
      max_frames_(config.max_frames),
      messages_(kQueuedMessages),
      connection_({.url = std::move(config.url),
                   .token = config.token,
                   .trust = std::move(config.trust),
                   .hello = config.baseline ? nullptr : greeting(config.token, config.view_only),
                   .on_status = on_change_,
                   .on_failure = [this](std::exception_ptr failure) { fail(std::move(failure)); }},
                  messages_, buffers_),
      decode_loop_(
          messages_, std::make_unique<BaselineDecoder>(config.space, std::move(config.decoder), images_),
          std::make_unique<StreamDecoder>(
              config.space, std::move(config.stream_decoder), images_, progress_,
              [this](uint64_t connection, const ViewerMessage& message) { send(connection, message); },
              [this](uint64_t connection, ServerMessage message) {
                news_.put(connection, std::move(message));
                on_change_();
              }),
          config.max_frames,
          {.on_picture = [this](Picture picture) { deliver(std::move(picture)); },
           .on_protocol_error = [this](uint64_t connection,
                                       const std::string& reason) { refuse(connection, reason); },
           .on_failure = [this](std::exception_ptr failure) { fail(std::move(failure)); }}) {}

Stream::Greeting Stream::greeting(const std::string& token, bool view_only) {
  return [this, token, view_only](uint64_t connection) {
    return hello_message(token, view_only, progress_.take(connection));
  };
}

Stream::~Stream() { connection_.stop(); }

RunSummary Stream::summary() const {
  RunSummary run = stats_.summary();
  run.dropped = dropped();
  run.connects = connection_.status().connects;
  return run;
}

uint64_t Stream::dropped() const {
  // A frame that is only counted has no picture to lose.
  return decodes_ ? pictures_.dropped() + decode_loop_.skipped() : 0;
}

void Stream::send(uint64_t connection, const ViewerMessage& message) {
  connection_.send(connection, serialize(message));
}

void Stream::end() {
  ended_ = true;
  pictures_.close();
  on_change_();
}

void Stream::stop() {
  connection_.stop();
  decode_loop_.join();
  std::lock_guard lock(failure_mutex_);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Stream::deliver(Picture picture) {
  connection_.confirm(picture.info.connection);
  stats_.add_ready(picture.info);
  pictures_.put(std::move(picture));
  on_change_();
}

void Stream::refuse(uint64_t connection, const std::string& reason) {
  connection_.refuse(connection, "the server broke the protocol: " + reason);
}

void Stream::fail(std::exception_ptr failure) {
  {
    std::lock_guard lock(failure_mutex_);
    if (!failure_) failure_ = std::move(failure);
  }
  end();
}

}  // namespace latentdesk
