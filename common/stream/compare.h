#pragma once

#include "common/stream/tiles.h"

#include <cstring>

namespace latentdesk {

/// The blocks in which two pictures of one tile's size differ.
inline BlockMask different_blocks(ImageView a, ImageView b) {
  BlockMask mask = 0;
  const size_t row_bytes = static_cast<size_t>(a.size.width) * kBytesPerPixel;
  constexpr size_t kBlockBytes = size_t{kBlockSide} * kBytesPerPixel;
  for (int y = 0; y < a.size.height; ++y) {
    if (std::memcmp(a.row(y), b.row(y), row_bytes) == 0) continue;
    for (size_t at = 0, x = 0; at < row_bytes; at += kBlockBytes, ++x) {
      if (std::memcmp(a.row(y) + at, b.row(y) + at, std::min(kBlockBytes, row_bytes - at)) != 0) {
        mask |= block_bit(static_cast<int>(x), y / kBlockSide);
      }
    }
  }
  return mask;
}

}  // namespace latentdesk
