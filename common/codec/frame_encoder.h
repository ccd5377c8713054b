#pragma once

#include "common/codec/codec.h"

#include <memory>
#include <vector>

namespace latentdesk {

/// Room for a baseline frame's payload in a message of kMaxMessageBytes, beside its length prefix and header.
inline constexpr size_t kMaxFramePayload = kMaxMessageBytes - 1024;

/// Encodes whole pictures into baseline payloads. One thread uses it; a stream of one size allocates nothing.
class FrameEncoder {
 public:
  struct Result {
    LatentShape shape;
    float scale = 0;       ///< as asked for, or coarser where that would not have fitted into a message
    double encode_ms = 0;  ///< network and rounding
    double pack_ms = 0;    ///< compression
    double device_ms = 0;  ///< of encode_ms, what a GPU was kept busy
  };

  explicit FrameEncoder(std::unique_ptr<Encoder> encoder) : encoder_(std::move(encoder)) {}

  /// The payload replaces what is in `payload`, at most kMaxFramePayload bytes.
  Result encode(ImageView image, float scale, std::vector<uint8_t>& payload);

 private:
  std::unique_ptr<Encoder> encoder_;
  Deflater deflater_;
  Latents latents_;
  float fitting_scale_ = 0;  ///< at which the last picture fitted
};

}  // namespace latentdesk
