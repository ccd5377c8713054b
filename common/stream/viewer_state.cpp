#include "common/stream/viewer_state.h"

namespace latentdesk {

using Kind = Operation::Kind;

void ViewerState::reset(const TileGrid& grid, uint32_t slots) {
  grid_ = grid;
  number_ = 0;
  lossy_.assign(grid.tiles(), 0);
  near_.assign(grid.tiles(), 0);
  slots_.assign(slots, {});
}

bool ViewerState::is_exact() const {
  return std::all_of(lossy_.begin(), lossy_.end(), [](BlockMask mask) { return mask == 0; });
}

void ViewerState::apply(std::span<const Operation> operations, uint64_t number) {
  number_ = number;
  const bool copies = std::any_of(operations.begin(), operations.end(),
                                  [](const Operation& operation) { return operation.kind == Kind::copy; });
  if (copies) before_ = lossy_;
  for (const Operation& operation : operations) {
    if (operation.kind == Kind::copy) {
      copy(operation);
      continue;
    }
    BlockMask& lossy = lossy_[operation.tile];
    const BlockMask mask = operation.mask & grid_.blocks(operation.tile);
    if (operation.kind == Kind::store) {
      slots_[operation.slot] = {number, lossy};
    } else if (operation.kind == Kind::recall) {
      lossy = (lossy & ~mask) | (slots_[operation.slot].lossy & mask);
    } else {
      lossy = operation.lossy ? lossy | mask : lossy & ~mask;
    }
    if (operation.kind == Kind::store) continue;
    BlockMask& near = near_[operation.tile];
    const bool is_near = operation.kind == Kind::pixels && operation.error <= kNearError;
    near = is_near ? near | mask : near & ~mask;
  }
}

void ViewerState::copy(const Operation& operation) {
  const Rect& to = operation.to;  // whole blocks, or up to the screen's border
  for (int y = to.y; y < to.bottom(); y += kBlockSide) {
    for (int x = to.x; x < to.right(); x += kBlockSide) {
      const Rect block = intersection({x, y, kBlockSide, kBlockSide}, to);
      const BlockMask bit = block_bit(x % kTileSide / kBlockSide, y % kTileSide / kBlockSide);
      BlockMask& lossy = lossy_[grid_.tile_at(x, y)];
      const bool source =
          is_lossy({block.x + operation.dx, block.y + operation.dy, block.width, block.height});
      lossy = source ? lossy | bit : lossy & ~bit;
      near_[grid_.tile_at(x, y)] &= ~bit;
    }
  }
}

bool ViewerState::is_lossy(const Rect& rect) const {
  for (const int y : {rect.y, rect.bottom() - 1}) {
    for (const int x : {rect.x, rect.right() - 1}) {
      const BlockMask bit = block_bit(x % kTileSide / kBlockSide, y % kTileSide / kBlockSide);
      if (before_[grid_.tile_at(x, y)] & bit) return true;
    }
  }
  return false;
}

}  // namespace latentdesk
