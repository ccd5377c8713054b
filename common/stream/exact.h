#pragma once

#include "common/stream/tiles.h"

#include <array>
#include <cstdint>
#include <vector>

// Pixels within a bound of the original, or without loss, prepared for DEFLATE. Channels are green, red -
// green and blue - green, where green is as restored. Each is predicted by the median of left, above, and
// left + above - above left (JPEG-LS, ITU-T T.87, as is the near-lossless mode), from restored pixels of the
// same tile and mask. A residual is a multiple of the step 2 * error + 1, one byte each, modulo 256; the
// residuals of a channel are a plane of their own.

namespace latentdesk {

inline constexpr int kMaxPixelError = 63;

using ResidualPlanes = std::array<std::vector<uint8_t>, 3>;

/// Appends the residuals of the tile's pixels in `mask`, in the order of for_each_run, and sets these pixels
/// of `restored`, which has the tile's size, to what restore_pixels will make of them: no channel differs by
/// more than `error`.
void append_residuals(ImageView tile, BlockMask mask, int error, MutableImageView restored,
                      ResidualPlanes& planes);

/// Sets the tile's pixels in `mask` from one residual a pixel of each plane.
void restore_pixels(const std::array<const uint8_t*, 3>& planes, BlockMask mask, int error,
                    MutableImageView tile);

}  // namespace latentdesk
