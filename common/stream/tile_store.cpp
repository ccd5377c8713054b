#include "common/stream/tile_store.h"

#include "common/stream/compare.h"

#include <cstring>

namespace latentdesk {

namespace {
constexpr size_t kStride = size_t{kTileSide} * kBytesPerPixel;
constexpr size_t kSlotsOfOneTile = 8;
}  // namespace

void TileStore::reset(const TileGrid& grid) {
  grid_ = grid;
  slots_of_.assign(grid.tiles(), {});
  for (Slot& slot : slots_) slot = {};
  next_fresh_ = 0;
}

BlockMask TileStore::equal_blocks(ImageView tile, const Slot& slot, BlockMask wanted) const {
  return wanted & ~different_blocks(tile, {slot.pixels.get(), tile.size, kStride});
}

TileStore::Match TileStore::find(ImageView picture, uint32_t tile, BlockMask wanted) const {
  Match best;
  const ImageView pixels = part(picture, grid_.rect(tile));
  for (const uint32_t slot : slots_of_[tile]) {
    const BlockMask mask = equal_blocks(pixels, slots_[slot], wanted);
    if (std::popcount(mask) >= std::popcount(best.mask)) best = {slot, mask};
  }
  return best;
}

bool TileStore::contains(ImageView picture, uint32_t tile) const {
  const BlockMask all = grid_.blocks(tile);
  return find(picture, tile, all).mask == all;
}

uint32_t TileStore::least_recent() const {
  const auto oldest = std::min_element(slots_.begin(), slots_.end(),
                                       [](const Slot& a, const Slot& b) { return a.used < b.used; });
  return static_cast<uint32_t>(oldest - slots_.begin());
}

int TileStore::store(ImageView picture, uint32_t tile, uint64_t number) {
  if (slots_.empty()) return -1;
  const uint32_t index = slots_of_[tile].size() == kSlotsOfOneTile ? slots_of_[tile].front()
                         : next_fresh_ < slots_.size()             ? next_fresh_++
                                                                   : least_recent();
  Slot& slot = slots_[index];
  if (slot.tile != kNone) {
    if (slot.used == number) return -1;
    std::erase(slots_of_[slot.tile], index);
  }
  if (!slot.pixels) slot.pixels = std::make_unique<uint8_t[]>(kStride * kTileSide);
  slot.tile = tile;
  slot.stored = slot.used = number;
  const ImageView pixels = part(picture, grid_.rect(tile));
  for (int y = 0; y < pixels.size.height; ++y) {
    std::memcpy(slot.pixels.get() + static_cast<size_t>(y) * kStride, pixels.row(y),
                static_cast<size_t>(pixels.size.width) * kBytesPerPixel);
  }
  slots_of_[tile].push_back(index);
  return static_cast<int>(index);
}

}  // namespace latentdesk
