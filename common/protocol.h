#pragma once

#include "common/image.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

// Byte layout of every binary message, in both directions (docs/protocol.md is the norm):
//
//   offset  size  field
//   0       4     n: length of the header, unsigned, big-endian
//   4       n     header: one JSON object, UTF-8
//   4+n     ...   payload, to the end of the WebSocket message
//
// Baseline frame: header {w,h,c,scale,orig_w,orig_h,timestamp,model_ver}, payload one zlib stream that
// inflates to w*h*c int8 latents in c,h,w order.

namespace latentdesk {

/// Bytes from a peer that break the protocol. Closes the session they came from, and nothing else.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The WebSocket subprotocol of viewers that follow the screen's state, and give their token in `hello`; who
/// asks for none speaks the baseline.
inline constexpr std::string_view kSubprotocol = "latentdesk.2";

inline constexpr size_t kMaxMessageBytes = 1'000'000;
inline constexpr size_t kMaxHeaderBytes = 64 * 1024;
inline constexpr size_t kMaxClientMessageBytes = 64 * 1024;
inline constexpr int kLatentStride = 8;
inline constexpr int kMaxLatentChannels = 256;

using ByteView = std::span<const uint8_t>;

/// A latent tensor's shape: width and height in latent positions, and channels.
struct LatentShape {
  int width = 0;
  int height = 0;
  int channels = 0;

  bool operator==(const LatentShape&) const = default;
  size_t positions() const { return static_cast<size_t>(width) * static_cast<size_t>(height); }
  size_t elements() const { return positions() * static_cast<size_t>(channels); }
};

/// Shape of the latents of a picture: each side divided by the stride, rounded up.
constexpr LatentShape latent_shape(Size size, int channels) {
  return {(size.width + kLatentStride - 1) / kLatentStride, (size.height + kLatentStride - 1) / kLatentStride,
          channels};
}

/// Header of a baseline frame.
struct FrameHeader {
  LatentShape latent;
  float scale = 0;        ///< dequantised = int8 * scale
  Size original;          ///< size of the captured picture; the decoded one is cropped to it
  double timestamp = 0;   ///< capture time, seconds since the epoch
  std::string model_ver;  ///< `name-version.hash` of the encoder's model
};

/// A message cut at its header; both views point into the message.
struct MessageView {
  std::string_view header;
  ByteView payload;
};

/// Throws ProtocolError when the message is shorter than it says or the header is longer than allowed.
MessageView split_message(ByteView message);

/// Throws ProtocolError unless every field is present, of its type and within its limit, and the fields
/// agree.
FrameHeader parse_frame_header(std::string_view json);

/// The length prefix and the JSON header: all of a message that comes before its payload.
std::string serialize_frame_prefix(const FrameHeader& header);

/// Checks a message from a client: binary framing or JSON text, with a JSON object as header. A baseline
/// client need send nothing, and what it sends has no effect. Throws ProtocolError.
void validate_client_message(ByteView message, bool is_text);

/// A peer's text made safe for the log: control characters and bytes beyond ASCII replaced, cut to
/// `max_length`.
std::string printable(std::string_view text, size_t max_length = 120);

}  // namespace latentdesk
