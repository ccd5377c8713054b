#include "common/stream/estimates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace latentdesk {

namespace {

// Estimates of what DEFLATE makes of each kind of content, fitted to recorded desktops: bits.
constexpr double kBitsPerColour = 16;
constexpr double kEdgeBits = 4;          // an index that differs from its left neighbour alone
constexpr double kRowBits = 30;          // the first of a run that differs from the row above
constexpr double kTwoChangesBits = 6.5;  // an index that differs from both
// Of a tile of latents: each position, each value that is not 0, and of the first channels the difference to
// the one at its left where that is smaller, which is what is left of them after prediction.
constexpr double kPositionBits = 0.9;
constexpr double kLatentBits = 5.8;
constexpr size_t kPredictedChannels = 8;
constexpr double kDifferenceBits = 3.7;
constexpr double kDifferenceDoublingBits = 1.4;

// Of text and interface at most so many pixels differ from a neighbour, of shaded surfaces more; and of these
// so many from both, of photographs and noise beside flat areas more.
constexpr double kDrawnChanges = 0.55;
constexpr double kDrawnBoth = 0.78;

/// Pixels that differ from a neighbour.
struct Changes {
  size_t edges = 0;   ///< from the left one alone
  size_t rows = 0;    ///< from the upper one alone, and the one at their left does not: the first of a run
  size_t any_up = 0;  ///< from the upper one, whatever the left one is
  size_t both = 0;
  size_t compared = 0;
};

/// `rows` holds where each run of pixels begins, and their end.
template <typename Index>
Changes count_changes(std::span<const Index> indices, std::span<const uint32_t> rows) {
  Changes changes;
  for (size_t row = 1; row + 1 < rows.size(); ++row) {
    const size_t above = rows[row] - rows[row - 1];
    if (rows[row + 1] - rows[row] != above) continue;
    bool before = indices[rows[row]] != indices[rows[row - 1]];
    changes.rows += before;
    for (size_t i = rows[row] + 1; i < rows[row + 1]; ++i) {
      const bool left = indices[i] != indices[i - 1], up = indices[i] != indices[i - above];
      changes.any_up += up;
      changes.both += left && up;
      changes.edges += left && !up;
      changes.rows += up && !left && !before;
      before = up;
    }
    changes.compared += above;
  }
  return changes;
}

double estimate_differences(const int8_t* channel) {
  double bits = 0;
  for (size_t i = 0; i < kTilePositions; ++i) {
    const int left = i % kTileLatentSide > 0 ? channel[i - 1] : 0;
    const int least = std::min(std::abs(channel[i]), std::abs(channel[i] - left));
    if (least > 0) bits += kDifferenceBits + kDifferenceDoublingBits * std::log2(least);
  }
  return bits;
}

// How many pixels equal their left neighbours in what is drawn, at least.
constexpr double kFlatShare = 0.1;

}  // namespace

double estimate_palette(const Palette& palette, std::span<const uint32_t> rows) {
  const Changes changes = count_changes(palette.indices(), rows);
  return kBitsPerColour * static_cast<double>(palette.colours().size()) +
         kEdgeBits * static_cast<double>(changes.edges) + kRowBits * static_cast<double>(changes.rows) +
         kTwoChangesBits * static_cast<double>(changes.both);
}

bool is_drawn(const Palette& palette, std::span<const uint32_t> rows) {
  const Changes changes = count_changes(palette.counted(), rows);
  const size_t any = changes.any_up + changes.edges;
  return static_cast<double>(any) <= kDrawnChanges * static_cast<double>(changes.compared) &&
         static_cast<double>(changes.both) <= kDrawnBoth * static_cast<double>(any);
}

bool has_flat_areas(ImageView tile, BlockMask mask) {
  size_t pairs = 0, equal = 0;
  for_each_run(tile.size, mask, [&](int x, int y, int count) {
    const uint8_t* pixel = tile.row(y) + x * kBytesPerPixel;
    for (int i = 1; i < count; ++i, pixel += kBytesPerPixel)
      equal += std::memcmp(pixel, pixel + kBytesPerPixel, 3) == 0;
    pairs += static_cast<size_t>(count - 1);
  });
  return static_cast<double>(equal) >= kFlatShare * static_cast<double>(pairs);
}

// The entropy of each plane's bytes: in a tile alone it is as far below what the range coder needs to learn
// as that is above what it gains by neighbours.
double estimate_residuals(const ResidualPlanes& planes) {
  double bits = 0;
  for (const auto& plane : planes) {
    std::array<uint32_t, 256> counts{};
    for (const uint8_t residual : plane) ++counts[residual];
    for (const uint32_t count : counts) {
      if (count > 0) bits += count * std::log2(static_cast<double>(plane.size()) / count);
    }
  }
  return bits;
}

double estimate_latents(const Latents& latents, size_t tile, size_t tiles) {
  double bits = kPositionBits * kTilePositions;
  for (size_t c = 0; c < static_cast<size_t>(latents.shape.channels); ++c) {
    const int8_t* values = latents.values.data() + (c * tiles + tile) * kTilePositions;
    const auto zeros = std::count(values, values + kTilePositions, int8_t{0});
    bits += c < kPredictedChannels
                ? estimate_differences(values)
                : kLatentBits * static_cast<double>(kTilePositions - static_cast<size_t>(zeros));
  }
  return bits;
}

double squared_error(ImageView a, ImageView b, BlockMask mask) {
  int64_t sum = 0;
  for_each_run(a.size, mask, [&](int x, int y, int count) {
    const uint8_t *pixel_a = a.row(y) + x * kBytesPerPixel, *pixel_b = b.row(y) + x * kBytesPerPixel;
    for (int i = 0; i < count; ++i, pixel_a += kBytesPerPixel, pixel_b += kBytesPerPixel) {
      for (size_t c = 0; c < 3; ++c) {
        const int difference = pixel_a[c] - pixel_b[c];
        sum += difference * difference;
      }
    }
  });
  return static_cast<double>(sum);
}

}  // namespace latentdesk
