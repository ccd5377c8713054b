#pragma once

#include "common/codec/codec.h"
#include "common/stats.h"

#include <string>

namespace latentdesk {

/// What a backend is timed on: a whole picture, or tiles of 64x64 pixels in one call.
struct Workload {
  Size picture;   ///< of whole pictures
  int tiles = 0;  ///< else

  std::string name() const;
  size_t pixels() const;
};

/// Medians of one end, in ms.
struct EndTiming {
  DeviceTimes device;     ///< by the device's clock; zeros on the CPU
  double device_ms = 0;   ///< of its sum
  double wall_ms = 0;     ///< of the whole call, copies on the host included
  uint64_t measured = 0;  ///< calls
};

/// Times encoding, from pixels to planar int8, or decoding, back. Pictures and latents are new at every call:
/// several go round, together larger than a GPU's cache, page-locked where the backend can. Warms up first,
/// then calls until `seconds` have passed, at least 3 and at most 200 times. Throws what the end throws.
EndTiming time_encoder(Encoder& encoder, const Backend& backend, const Model& model, const Workload& workload,
                       double seconds);
EndTiming time_decoder(Decoder& decoder, const Backend& backend, const Model& model, const Workload& workload,
                       double seconds);

}  // namespace latentdesk
