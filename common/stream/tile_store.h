#pragma once

#include "common/stream/operations.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace latentdesk {

/// The server's copy of the tiles that viewers keep for recall: what a menu covers, or a dragged window. A
/// tile is found again at its own place only. The least recently used slot is taken for a new one. One thread
/// uses it.
class TileStore {
 public:
  struct Match {
    uint32_t slot = 0;
    BlockMask mask = 0;  ///< blocks of the tile that are the same in the slot
  };

  explicit TileStore(uint32_t slots) : slots_(slots) {}

  /// Forgets everything.
  void reset(const TileGrid& grid);

  /// The stored tile that has most of the blocks of `wanted` as they are in `picture`; nothing is `mask` 0.
  Match find(ImageView picture, uint32_t tile, BlockMask wanted) const;

  /// Marks as used by update `number`: it will not be taken for another tile in the same update.
  void use(uint32_t slot, uint64_t number) { slots_[slot].used = number; }

  /// Whether the tile is stored as it is in `picture`.
  bool contains(ImageView picture, uint32_t tile) const;

  /// Stores a tile and returns its slot; -1 when all slots are in use by update `number`.
  int store(ImageView picture, uint32_t tile, uint64_t number);

  /// Update that stored what the slot now holds.
  uint64_t generation(uint32_t slot) const { return slots_[slot].stored; }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Slot {
    uint32_t tile = kNone;
    uint64_t stored = 0;
    uint64_t used = 0;
    std::unique_ptr<uint8_t[]> pixels;
  };

  BlockMask equal_blocks(ImageView tile, const Slot& slot, BlockMask wanted) const;
  uint32_t least_recent() const;

  TileGrid grid_;
  std::vector<Slot> slots_;
  std::vector<std::vector<uint32_t>> slots_of_;  ///< of each tile, oldest first
  uint32_t next_fresh_ = 0;
};

}  // namespace latentdesk
