#include "common/stream/motion.h"

#include "common/stream/palette.h"

#include <cstdlib>
#include <cstring>

namespace latentdesk {

namespace {

constexpr int kWindowWidth = 32;  // a power of two
constexpr int kWindowHeight = 16;
constexpr uint32_t kAcross = 0x9e3779b1u;  // odd multipliers of the sums, across and down
constexpr uint32_t kDown = 0x85ebca6bu;
constexpr uint32_t kMix = 0xc2b2ae35u;
constexpr int kSampling = 5;  // one window in 2^5 is a landmark
constexpr size_t kMaxLandmarks = 1u << 16;
constexpr size_t kTableSize = 1u << 17;
constexpr size_t kMaxCandidates = 256;
constexpr size_t kMaxDisplacements = 8;
constexpr int kLeastVotes = 3;
// Fewer blocks cost less as content than as a copy.
constexpr int kLeastBlocks = 3;

constexpr uint32_t power(uint32_t base, int exponent) {
  uint32_t result = 1;
  for (int i = 0; i < exponent; ++i) result *= base;
  return result;
}

/// Sums of kWindowWidth pixels from each position on, in `sums`, which has as many as `width`; the last
/// kWindowWidth - 1 are not whole.
void sum_across(const uint8_t* pixels, int width, uint32_t* sums) {
  for (int x = 0; x < width; ++x) {
    uint32_t pixel;
    std::memcpy(&pixel, pixels + x * kBytesPerPixel, sizeof pixel);
    sums[x] = pixel & kColourMask;
  }
  uint32_t factor = kAcross;
  for (int step = 1; step < kWindowWidth; step *= 2, factor *= factor) {
    for (int x = 0; x + step < width; ++x) sums[x] += factor * sums[x + step];
  }
}

Rect bounds_of_changes(const TileGrid& grid, std::span<const BlockMask> changed) {
  int left = grid.size().width, top = grid.size().height, right = 0, bottom = 0;
  for (size_t tile = 0; tile < changed.size(); ++tile) {
    if (changed[tile] == 0) continue;
    const Rect r = grid.rect(tile);
    left = std::min(left, r.x);
    top = std::min(top, r.y);
    right = std::max(right, r.right());
    bottom = std::max(bottom, r.bottom());
  }
  return {left, top, right - left, bottom - top};
}

bool is_equal(ImageView a, const Rect& in_a, ImageView b, const Rect& in_b) {
  const size_t bytes = static_cast<size_t>(in_a.width) * kBytesPerPixel;
  for (int y = 0; y < in_a.height; ++y) {
    if (std::memcmp(a.row(in_a.y + y) + in_a.x * kBytesPerPixel, b.row(in_b.y + y) + in_b.x * kBytesPerPixel,
                    bytes) != 0)
      return false;
  }
  return true;
}

}  // namespace

std::span<const Movement> MotionSearch::find(ImageView before, ImageView after, const TileGrid& grid,
                                             std::span<BlockMask> changed) {
  movements_.clear();
  // What has moved away has left a change behind, so the source lies within the changes too.
  const Rect area = bounds_of_changes(grid, changed);
  if (area.width < kWindowWidth || area.height < kWindowHeight) return movements_;
  if (table_.empty()) table_.resize(kTableSize);
  find_landmarks(before, area);
  remember_landmarks();
  find_landmarks(after, area);
  vote(grid, changed);
  moved_.assign(grid.tiles() * kBlocksPerSide * kBlocksPerSide, 0);
  for (const Displacement& displacement : displacements_) collect(before, after, grid, displacement, changed);
  return movements_;
}

void MotionSearch::find_landmarks(ImageView image, const Rect& area) {
  landmarks_.clear();
  const auto width = static_cast<size_t>(area.width);
  rows_.assign(width * (kWindowHeight + 1), 0);  // the sums across of the window's rows, and their sums down
  uint32_t* const sums = rows_.data() + width * kWindowHeight;
  constexpr uint32_t kOldest = power(kDown, kWindowHeight);
  for (int y = 0; y < area.height; ++y) {
    uint32_t* const row = rows_.data() + width * static_cast<size_t>(y % kWindowHeight);
    for (size_t x = 0; x < width; ++x) sums[x] = sums[x] * kDown - row[x] * kOldest;
    sum_across(image.row(area.y + y) + area.x * kBytesPerPixel, area.width, row);
    for (size_t x = 0; x < width; ++x) sums[x] += row[x];
    if (y < kWindowHeight - 1) continue;
    for (int x = 1; x + kWindowWidth <= area.width; ++x) {
      // Equal neighbours mean a flat area, which tells nothing.
      const uint32_t hash = sums[x];
      if ((hash * kMix) >> (32 - kSampling) != 0 || hash == sums[x - 1]) continue;
      if (landmarks_.size() == kMaxLandmarks) return;
      landmarks_.push_back(
          {hash, static_cast<int16_t>(area.x + x), static_cast<int16_t>(area.y + y - kWindowHeight + 1)});
    }
  }
}

void MotionSearch::remember_landmarks() {
  ++stamp_;
  for (const Landmark& landmark : landmarks_) {
    Slot* slot = &table_[landmark.hash % kTableSize];
    if (slot->stamp != stamp_) {
      *slot = {landmark.hash, landmark.x, landmark.y, stamp_, true};
    } else if (slot->hash == landmark.hash) {
      slot->unique = false;
    }
  }
}

void MotionSearch::vote(const TileGrid& grid, std::span<const BlockMask> changed) {
  displacements_.clear();
  for (const Landmark& landmark : landmarks_) {
    const Slot& slot = table_[landmark.hash % kTableSize];
    if (slot.stamp != stamp_ || slot.hash != landmark.hash || !slot.unique) continue;
    const int x = landmark.x + kWindowWidth / 2, y = landmark.y + kWindowHeight / 2;
    const BlockMask mask = changed[grid.tile_at(x, y)];
    if ((mask & block_bit(x % kTileSide / kBlockSide, y % kTileSide / kBlockSide)) == 0) continue;
    const int dx = slot.x - landmark.x, dy = slot.y - landmark.y;
    const auto found = std::find_if(displacements_.begin(), displacements_.end(),
                                    [&](const Displacement& d) { return d.dx == dx && d.dy == dy; });
    if (found != displacements_.end()) {
      ++found->votes;
    } else if (displacements_.size() < kMaxCandidates) {
      displacements_.push_back({dx, dy, 1});
    }
  }
  std::sort(displacements_.begin(), displacements_.end(),
            [](const Displacement& a, const Displacement& b) { return a.votes > b.votes; });
  const auto weak = std::find_if(displacements_.begin(), displacements_.end(),
                                 [](const Displacement& d) { return d.votes < kLeastVotes; });
  displacements_.erase(weak, displacements_.end());
  if (displacements_.size() > kMaxDisplacements) displacements_.resize(kMaxDisplacements);
}

void MotionSearch::collect(ImageView before, ImageView after, const TileGrid& grid,
                           const Displacement& displacement, std::span<BlockMask> changed) {
  const int columns = grid.columns() * kBlocksPerSide;
  for (size_t tile = 0; tile < changed.size(); ++tile) {
    const Rect tile_rect = grid.rect(tile);
    for (BlockMask rest = changed[tile]; rest != 0; rest &= rest - 1) {
      const int block = std::countr_zero(rest);
      const Rect to =
          intersection({tile_rect.x + block % kBlocksPerSide * kBlockSide,
                        tile_rect.y + block / kBlocksPerSide * kBlockSide, kBlockSide, kBlockSide},
                       grid.bounds());
      const Rect from{to.x + displacement.dx, to.y + displacement.dy, to.width, to.height};
      if (intersection(from, grid.bounds()) != from) continue;
      if (is_equal(before, from, after, to)) {
        moved_[static_cast<size_t>(to.y / kBlockSide * columns + to.x / kBlockSide)] = 1;
      }
    }
  }
  merge_blocks(grid, displacement, changed);
}

void MotionSearch::merge_blocks(const TileGrid& grid, const Displacement& displacement,
                                std::span<BlockMask> changed) {
  const int columns = grid.columns() * kBlocksPerSide, rows = grid.rows() * kBlocksPerSide;
  const auto at = [&](int x, int y) -> uint8_t& { return moved_[static_cast<size_t>(y * columns + x)]; };
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      if (!at(x, y)) continue;
      int x1 = x, y1 = y + 1;
      while (x1 < columns && at(x1, y)) ++x1;
      const auto row_is_full = [&](int row) {
        for (int i = x; i < x1; ++i) {
          if (!at(i, row)) return false;
        }
        return true;
      };
      while (y1 < rows && row_is_full(y1)) ++y1;
      const bool worth_it = (x1 - x) * (y1 - y) >= kLeastBlocks;
      for (int by = y; by < y1; ++by) {
        for (int bx = x; bx < x1; ++bx) {
          at(bx, by) = 0;
          if (worth_it) {
            changed[grid.tile_at(bx * kBlockSide, by * kBlockSide)] &=
                ~block_bit(bx % kBlocksPerSide, by % kBlocksPerSide);
          }
        }
      }
      if (!worth_it) continue;
      const Rect blocks{x * kBlockSide, y * kBlockSide, (x1 - x) * kBlockSide, (y1 - y) * kBlockSide};
      movements_.push_back({intersection(blocks, grid.bounds()), displacement.dx, displacement.dy});
    }
  }
}

}  // namespace latentdesk
