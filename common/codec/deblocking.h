#pragma once

#include "common/image.h"

#include <cstdint>
#include <vector>

namespace latentdesk {

/// Smooths the borders between decoded blocks of 8x8 pixels (docs/protocol.md, "Borders of blocks"): a step
/// there that is no larger than what quantisation makes is spread over the four pixels on each side, by the
/// up-down ramp of H.263, Annex J. Other steps, and pixels of other origin, stay. Keeps its memory; one
/// thread uses it.
class BlockBorders {
 public:
  /// Of a picture of `size`, no block of which is decoded yet.
  void begin(Size size);
  /// The block at this place, in blocks, is a decoded one. Those that the picture cuts stay as they are.
  void mark(int column, int row) {
    if (column < columns_ && row < rows_) decoded_[index(column, row)] = 1;
  }

  /// Between marked blocks, all of latents of one `scale`. The picture has the size that was given.
  void smooth(MutableImageView picture, float scale);
  /// Of a picture that is decoded as a whole.
  void smooth_all(MutableImageView picture, float scale);

 private:
  size_t index(int column, int row) const {
    return static_cast<size_t>(row) * static_cast<size_t>(columns_) + static_cast<size_t>(column);
  }

  int columns_ = 0, rows_ = 0;  ///< of whole blocks
  std::vector<uint8_t> decoded_;
};

}  // namespace latentdesk
