#pragma once

#include "common/stream/tiles.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

// Pixels without loss, prepared for DEFLATE: green, red - green and blue - green (modulo 256), each predicted
// by the median of left, above, and left + above - above left (the predictor of JPEG-LS, ITU-T T.87), from
// pixels of the same tile and mask. Each channel's residuals are a plane of their own.

namespace latentdesk {

using ResidualPlanes = std::array<std::vector<uint8_t>, 3>;

/// Appends the residuals of the tile's pixels in `mask`, in the order of for_each_run.
void append_residuals(ImageView tile, BlockMask mask, ResidualPlanes& planes);

/// The reverse: sets the tile's pixels in `mask` from one residual a pixel of each plane.
void restore_pixels(const std::array<const uint8_t*, 3>& planes, BlockMask mask, MutableImageView tile);

}  // namespace latentdesk
