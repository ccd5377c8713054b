#pragma once

#include "common/stream/tiles.h"

#include <cstdint>
#include <span>
#include <vector>

namespace latentdesk {

/// A part of the screen that shows what another part showed before.
struct Movement {
  Rect to;     ///< on the grid of blocks
  int dx = 0;  ///< the source is `to` moved by (dx, dy)
  int dy = 0;
};

/// Finds what has moved between two pictures: scrolled text, dragged windows. Any displacement, several at
/// once. Windows of 32x16 pixels are hashed at every position of both pictures, by sums that slide; those
/// whose hash has some bits zero are kept, so the same content is kept wherever it lies; what occurs just
/// once in the old picture votes for its displacement. The blocks that have the same pixels there are then
/// found by comparing them, so a result is always exact. Keeps its memory; one thread uses it.
class MotionSearch {
 public:
  /// `changed` has a mask for each tile of `grid`; what moves is taken out of it. The result is valid until
  /// the next call.
  std::span<const Movement> find(ImageView before, ImageView after, const TileGrid& grid,
                                 std::span<BlockMask> changed);

 private:
  struct Landmark {
    uint32_t hash = 0;
    int16_t x = 0;
    int16_t y = 0;
  };
  struct Slot {
    uint32_t hash = 0;
    int16_t x = 0;
    int16_t y = 0;
    uint32_t stamp = 0;  ///< of the search that filled it
    bool unique = false;
  };
  struct Displacement {
    int dx = 0;
    int dy = 0;
    int votes = 0;
  };

  void find_landmarks(ImageView image, const Rect& area);
  void remember_landmarks();
  void vote(const TileGrid& grid, std::span<const BlockMask> changed);
  void collect(ImageView before, ImageView after, const TileGrid& grid, const Displacement& displacement,
               std::span<BlockMask> changed);
  void merge_blocks(const TileGrid& grid, const Displacement& displacement, std::span<BlockMask> changed);

  std::vector<uint32_t> rows_;  ///< the sliding sums of as many rows as a window has, and scratch
  std::vector<Landmark> landmarks_;
  std::vector<Slot> table_;
  uint32_t stamp_ = 0;
  std::vector<Displacement> displacements_;
  std::vector<uint8_t> moved_;  ///< a byte for each block of the screen
  std::vector<Movement> movements_;
};

}  // namespace latentdesk
