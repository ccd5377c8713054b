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

/// Inflates a baseline payload into `out`, which takes the header's shape and scale. Throws ProtocolError.
void unpack(const FrameHeader& header, ByteView payload, Inflater& inflater, Latents& out);

}  // namespace latentdesk
