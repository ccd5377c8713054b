#pragma once

#include "common/stream/operations.h"

#include <span>
#include <vector>

namespace latentdesk {

/// Pixels that are no further from the original look the same: 45 dB or more.
inline constexpr int kNearError = 2;

/// What the server knows of a viewer's canvas: followed by applying to it what was sent.
class ViewerState {
 public:
  /// A viewer that has nothing, and offers `slots`.
  void reset(const TileGrid& grid, uint32_t slots);

  void apply(std::span<const Operation> operations, uint64_t number);

  uint64_t number() const { return number_; }
  /// Blocks that may differ from the server's screen of that number.
  BlockMask lossy(size_t tile) const { return lossy_[tile]; }
  /// Of these, blocks that may look different: they were not sent as pixels within kNearError.
  BlockMask coarse(size_t tile) const { return lossy_[tile] & ~near_[tile]; }
  bool is_exact() const;
  /// Whether it has what update `generation` stored in the slot.
  bool holds(uint32_t slot, uint64_t generation) const {
    return slot < slots_.size() && slots_[slot].generation == generation;
  }
  uint32_t slots() const { return static_cast<uint32_t>(slots_.size()); }

 private:
  struct Slot {
    uint64_t generation = 0;
    BlockMask lossy = 0;
  };

  void copy(const Operation& operation);
  bool is_lossy(const Rect& rect) const;

  TileGrid grid_;
  uint64_t number_ = 0;
  std::vector<BlockMask> lossy_;
  std::vector<BlockMask> near_;    ///< blocks known to be within kNearError
  std::vector<BlockMask> before_;  ///< lossy_ as it was before the update, for copies
  std::vector<Slot> slots_;
};

}  // namespace latentdesk
