#pragma once

#include "common/codec/codec.h"
#include "common/image.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace latentdesk {

/// Pixels of a screen: left, top, and size.
struct Rect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;

  bool operator==(const Rect&) const = default;
  int right() const { return x + width; }
  int bottom() const { return y + height; }
  bool empty() const { return width <= 0 || height <= 0; }
};

inline Rect intersection(const Rect& a, const Rect& b) {
  const int x = std::max(a.x, b.x), y = std::max(a.y, b.y);
  return {x, y, std::min(a.right(), b.right()) - x, std::min(a.bottom(), b.bottom()) - y};
}

template <typename Byte>
BasicImageView<Byte> part(const BasicImageView<Byte>& image, const Rect& rect) {
  return {image.row(rect.y) + static_cast<size_t>(rect.x) * kBytesPerPixel,
          {rect.width, rect.height},
          image.stride};
}

inline constexpr size_t kTilePixels = size_t{kTileSide} * kTileSide;
inline constexpr int kBlockSide = 8;
inline constexpr int kBlocksPerSide = kTileSide / kBlockSide;

/// A set of a tile's 8x8 blocks: bit y * 8 + x.
using BlockMask = uint64_t;
inline constexpr BlockMask kWholeTile = ~BlockMask{0};

constexpr BlockMask block_bit(int x, int y) { return BlockMask{1} << (y * kBlocksPerSide + x); }

/// The blocks of one row of blocks, as bits 0 to 7.
constexpr unsigned block_row(BlockMask mask, int y) { return (mask >> (y * kBlocksPerSide)) & 0xffu; }

/// All blocks with x0 <= x < x1 and y0 <= y < y1.
constexpr BlockMask block_rect(int x0, int y0, int x1, int y1) {
  BlockMask mask = 0;
  for (int y = y0; y < y1; ++y) {
    mask |= (((BlockMask{1} << (x1 - x0)) - 1) << x0) << (y * kBlocksPerSide);
  }
  return mask;
}

/// Calls `visit(x, y)` for each block of a mask.
template <typename Visit>
void for_each_block(BlockMask mask, const Visit& visit) {
  for (; mask != 0; mask &= mask - 1) {
    const int block = std::countr_zero(mask);
    visit(block % kBlocksPerSide, block / kBlocksPerSide);
  }
}

/// A screen cut into tiles of 64x64 pixels, row by row; those at the right and the bottom may be smaller.
class TileGrid {
 public:
  TileGrid() = default;
  explicit TileGrid(Size size)
      : size_(size),
        columns_((size.width + kTileSide - 1) / kTileSide),
        rows_((size.height + kTileSide - 1) / kTileSide) {}

  Size size() const { return size_; }
  Rect bounds() const { return {0, 0, size_.width, size_.height}; }
  int columns() const { return columns_; }
  int rows() const { return rows_; }
  size_t tiles() const { return static_cast<size_t>(columns_) * static_cast<size_t>(rows_); }

  size_t tile_at(int x, int y) const {
    return static_cast<size_t>(y / kTileSide) * static_cast<size_t>(columns_) +
           static_cast<size_t>(x / kTileSide);
  }

  Rect rect(size_t tile) const {
    const int x = static_cast<int>(tile) % columns_ * kTileSide;
    const int y = static_cast<int>(tile) / columns_ * kTileSide;
    return {x, y, std::min(kTileSide, size_.width - x), std::min(kTileSide, size_.height - y)};
  }

  /// The blocks of a tile that hold pixels of the screen.
  BlockMask blocks(size_t tile) const {
    const Rect r = rect(tile);
    return block_rect(0, 0, (r.width + kBlockSide - 1) / kBlockSide,
                      (r.height + kBlockSide - 1) / kBlockSide);
  }

 private:
  Size size_;
  int columns_ = 0;
  int rows_ = 0;
};

/// Calls `visit(x, y, count)` for each run of a tile's pixels that lie in `mask`, row by row, within `size`:
/// the order in which the pixels of a tile travel.
template <typename Visit>
void for_each_run(Size size, BlockMask mask, const Visit& visit) {
  for (int y = 0; y < size.height; ++y) {
    unsigned row = block_row(mask, y / kBlockSide);
    while (row != 0) {
      const int begin = std::countr_zero(row);
      const int end = begin + std::countr_one(row >> begin);
      row &= ~0u << end;
      const int x = begin * kBlockSide;
      const int count = std::min(end * kBlockSide, size.width) - x;
      if (count > 0) visit(x, y, count);
    }
  }
}

inline size_t pixels_in(Size size, BlockMask mask) {
  size_t pixels = 0;
  for_each_run(size, mask, [&](int, int, int count) { pixels += static_cast<size_t>(count); });
  return pixels;
}

}  // namespace latentdesk
