#include "common/codec/frame_encoder.h"

#include "common/clock.h"

#include <algorithm>

namespace latentdesk {

namespace {
// How fast a coarsened scale comes back once pictures grow simple again, a frame.
constexpr float kRecovery = 0.9f;
constexpr float kLeastCoarsening = 1.15f;
}  // namespace

FrameEncoder::Result FrameEncoder::encode(ImageView image, float scale, std::vector<uint8_t>& payload) {
  Result result;
  // Begin near what fitted last, since each attempt at a picture that is too rich costs a whole compression.
  float attempt = std::max(scale, fitting_scale_ * kRecovery);
  while (true) {
    const auto start = SteadyClock::now();
    encoder_->encode(image, attempt, latents_);
    result.device_ms += encoder_->device_times().total();
    const auto encoded = SteadyClock::now();
    deflater_.deflate(latents_.values, payload);
    result.encode_ms += milliseconds(encoded - start);
    result.pack_ms += milliseconds_since(encoded);
    if (payload.size() <= kMaxFramePayload) break;
    attempt *=
        std::max(kLeastCoarsening, static_cast<float>(payload.size()) / static_cast<float>(kMaxFramePayload));
  }
  fitting_scale_ = attempt;
  result.scale = attempt;
  result.shape = latents_.shape;
  return result;
}

}  // namespace latentdesk
