#pragma once

#include "common/image.h"

#include <cstdint>
#include <vector>

namespace latentdesk {

/// Hides in decoded pictures how they were coded (docs/protocol.md, "Restoration"): steps between blocks of
/// 8x8 pixels are spread, and samples move towards those around them that differ no more than by what
/// quantisation does. Pixels of other origin stay. Keeps its memory; one thread uses it.
class Restoration {
 public:
  /// Drawn by programs, or not: what is drawn has flat areas and edges, and little between them.
  enum class Kind : uint8_t { natural = 1, drawn = 2 };

  /// Of a picture of `size`, no block of which is decoded yet.
  void begin(Size size);
  /// The block at this place, in blocks, is a decoded one; nothing where the picture has none.
  void mark(int column, int row, Kind kind) {
    if (column < columns_ && row < rows_)
      kinds_[static_cast<size_t>(row) * static_cast<size_t>(columns_) + static_cast<size_t>(column)] =
          static_cast<uint8_t>(kind);
  }

  /// The marked blocks, all of latents of one `scale`. The picture has the size that was given.
  void restore(MutableImageView picture, float scale);
  /// A picture that is decoded as a whole, of which nothing else is known.
  void restore_all(MutableImageView picture, float scale);

 private:
  int columns_ = 0, rows_ = 0;
  std::vector<uint8_t> kinds_;
  std::vector<uint8_t> copy_;
};

}  // namespace latentdesk
