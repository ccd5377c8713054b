#pragma once

#include "client/message_decoder.h"
#include "client/resume_point.h"
#include "common/clock.h"
#include "common/stream/canvas.h"
#include "common/stream/messages.h"

#include <functional>
#include <memory>

namespace latentdesk {

/// Bytes that a viewer keeps for tiles that the server may recall.
inline constexpr uint64_t kTileCacheBytes = uint64_t{64} << 20;

/// Keeps the canvas of latentdesk.2 and acknowledges what it has applied.
class StreamDecoder : public MessageDecoder {
 public:
  using Reply = std::function<void(uint64_t connection, const ViewerMessage&)>;
  /// Takes the server's hello, and what is about the desktop but no pixels.
  using News = std::function<void(uint64_t connection, ServerMessage)>;

  /// Without a `decoder` updates are only counted and acknowledged, and pictures have no image. `progress`
  /// outlives it.
  StreamDecoder(LatentSpace space, std::unique_ptr<Decoder> decoder, Pool<Image>& images,
                ResumePoint& progress, Reply reply, News news);

  std::optional<Picture> decode(const Message& message, bool show) override;

 private:
  void begin(const Message& message);
  void greet(const ServerHello& hello);
  void handle(const Message& message);
  void apply(const Message& message, const MessageView& parts);
  Picture take_picture();
  void ping_now_and_then();
  void take(const Pong& pong, SteadyTime received);
  double capture_time(int64_t time_ms) const;

  const LatentSpace space_;
  const bool decodes_;
  Pool<Image>& images_;
  ResumePoint& progress_;
  const Reply reply_;
  const News news_;
  Canvas canvas_;
  uint64_t connection_ = 0;
  bool greeted_ = false;
  Size size_;
  FrameInfo pending_;  ///< of updates that were applied and not yet shown; no bytes: there are none
  ClockOffset clock_;
  SteadyTime next_ping_{};
};

}  // namespace latentdesk
