#pragma once

#include "common/deflate.h"
#include "common/protocol.h"

#include <cstdint>
#include <vector>

namespace latentdesk {

/// Quantised latents of one picture, planar: `values[(c * height + y) * width + x]`, dequantised by `*
/// scale`.
struct Latents {
  LatentShape shape;
  float scale = 0;
  std::vector<int8_t> values;

  /// Values are undefined after a change of shape. Memory is kept when the shape shrinks.
  void resize(LatentShape new_shape) {
    shape = new_shape;
    values.resize(new_shape.elements());
  }
};

/// How encoders round, in steps of the scale: what is below kDeadZone becomes 0, and the rest is drawn
/// towards 0 by kRoundingBias first. What is rare costs more bits than it is worth; this saves photographs a
/// twelfth.
inline constexpr float kDeadZone = 0.65f;
inline constexpr float kRoundingBias = 0.05f;

/// Inflates a baseline payload into `out`, which takes the header's shape and scale. Throws ProtocolError.
void unpack(const FrameHeader& header, ByteView payload, Inflater& inflater, Latents& out);

}  // namespace latentdesk
