#include "common/stream/content.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace latentdesk {

namespace {

constexpr size_t kTileBytes = size_t{kTileSide} * kTileSide * kBytesPerPixel;
constexpr size_t kTilePositions = size_t{kTileLatentSide} * kTileLatentSide;
constexpr double kNever = std::numeric_limits<double>::infinity();

// Estimates of what DEFLATE makes of each kind of content, fitted to recorded desktops: bits.
constexpr double kBitsPerColour = 12;
constexpr double kOneChangeBits = 0.9;   // an index that differs from its left or its upper neighbour
constexpr double kTwoChangesBits = 3.0;  // from both
constexpr double kLatentBits = 1.5;      // a value that is not 0, and each doubling of it
constexpr double kResidualBits = 1.5;

// A palette is near the original where latents are not, and need not be refined: it may cost so many times
// more.
constexpr double kWorthOfPalette = 2.0;
// Below this many bits a pixel a palette is taken without asking what latents would cost.
constexpr double kCheapPalette = 0.5;

// The tolerance of palettes falls linearly with quality and is 0 from kExactPalettes on.
constexpr int kExactPalettes = 95;
constexpr double kTolerancePerPoint = 0.4;

double magnitude_bits(int value) { return 1 + std::log2(static_cast<double>(std::abs(value))); }

/// magnitude_bits of every int8.
struct MagnitudeTable {
  std::array<float, 256> bits{};
  MagnitudeTable() {
    for (int value = 1; value < 256; ++value) {
      const int8_t as_signed = static_cast<int8_t>(value);
      bits[static_cast<size_t>(value)] = static_cast<float>(magnitude_bits(as_signed));
    }
  }
  float operator()(uint8_t value) const { return bits[value]; }
};

const MagnitudeTable& magnitudes() {
  static const MagnitudeTable table;
  return table;
}

/// `rows` holds where each run of pixels begins, and their end.
double estimate_palette(const Palette& palette, std::span<const uint32_t> rows) {
  const std::span<const uint8_t> indices = palette.indices();
  size_t one = 0, two = 0;
  for (size_t row = 1; row + 1 < rows.size(); ++row) {
    const size_t above = rows[row] - rows[row - 1];
    if (rows[row + 1] - rows[row] != above) continue;
    for (size_t i = rows[row] + 1; i < rows[row + 1]; ++i) {
      const bool left = indices[i] != indices[i - 1], up = indices[i] != indices[i - above];
      one += left != up;
      two += left && up;
    }
  }
  return kBitsPerColour * static_cast<double>(palette.colours().size()) +
         kOneChangeBits * static_cast<double>(one) + kTwoChangesBits * static_cast<double>(two);
}

double estimate_residuals(const ResidualPlanes& planes) {
  double bits = 0;
  for (const auto& plane : planes) {
    for (const uint8_t residual : plane) bits += magnitudes()(residual);
  }
  return kResidualBits * bits;
}

double estimate_latents(const Latents& latents, size_t tile, size_t tiles) {
  double bits = 0;
  for (size_t c = 0; c < static_cast<size_t>(latents.shape.channels); ++c) {
    const int8_t* values = latents.values.data() + (c * tiles + tile) * kTilePositions;
    for (size_t i = 0; i < kTilePositions; ++i) bits += magnitudes()(static_cast<uint8_t>(values[i]));
  }
  return kLatentBits * bits;
}

}  // namespace

CodingQuality coding_quality(const Model& model, int quality) {
  const double tolerance = std::max(0.0, (kExactPalettes - quality) * kTolerancePerPoint);
  return {model.scale_for_quality(quality), static_cast<int>(std::lround(tolerance)), false};
}

ContentEncoder::ContentEncoder(std::unique_ptr<Encoder> encoder, int latent_channels)
    : encoder_(std::move(encoder)), latent_channels_(latent_channels) {}

void ContentEncoder::encode(ImageView picture, const TileGrid& grid, std::span<const TilePart> parts,
                            const CodingQuality& quality, std::vector<Operation>& operations,
                            UpdateParts& content) {
  operations_ = &operations;
  content_ = &content;
  candidates_.clear();
  for (const TilePart& part : parts) {
    const ImageView tile = latentdesk::part(picture, grid.rect(part.tile));
    if (quality.exact) {
      encode_exact(tile, part);
    } else {
      encode_lossy(tile, part, quality.tolerance);
    }
  }
  if (!candidates_.empty()) encode_latents(picture, grid, quality);
}

void ContentEncoder::gather(ImageView tile, BlockMask mask) {
  pixels_.clear();
  row_starts_.clear();
  for_each_run(tile.size, mask, [&](int x, int y, int count) {
    const auto begin = static_cast<uint32_t>(pixels_.size());
    row_starts_.push_back(begin);
    pixels_.resize(begin + static_cast<size_t>(count));
    std::memcpy(&pixels_[begin], tile.row(y) + x * kBytesPerPixel,
                static_cast<size_t>(count) * kBytesPerPixel);
  });
  row_starts_.push_back(static_cast<uint32_t>(pixels_.size()));
}

void ContentEncoder::encode_exact(ImageView tile, const TilePart& part) {
  gather(tile, part.mask);
  const bool has_palette = palette_.build(pixels_, 0);
  if (has_palette && palette_.colours().size() == 1) return append_palette(part);
  for (auto& plane : residuals_) plane.clear();
  append_residuals(tile, part.mask, residuals_);
  if (has_palette && estimate_palette(palette_, row_starts_) <= estimate_residuals(residuals_)) {
    return append_palette(part);
  }
  for (size_t c = 0; c < 3; ++c) {
    content_->exact[c].insert(content_->exact[c].end(), residuals_[c].begin(), residuals_[c].end());
  }
  operations_->push_back({.kind = Operation::Kind::exact, .tile = part.tile, .mask = part.mask});
}

void ContentEncoder::encode_lossy(ImageView tile, const TilePart& part, int tolerance) {
  gather(tile, part.mask);
  double bits = kNever;
  if (palette_.build(pixels_, tolerance)) {
    bits = estimate_palette(palette_, row_starts_);
    const bool cheap = bits <= kCheapPalette * static_cast<double>(pixels_.size());
    if (palette_.colours().size() <= 2 || cheap) return append_palette(part);
  }
  candidates_.push_back({part, bits});
}

void ContentEncoder::encode_latents(ImageView picture, const TileGrid& grid, const CodingQuality& quality) {
  filled_.resize(candidates_.size() * kTileBytes);
  views_.clear();
  for (const Candidate& candidate : candidates_) {
    const ImageView tile = part(picture, grid.rect(candidate.part.tile));
    views_.push_back(fill_around(tile, candidate.part.mask, filled_.data() + views_.size() * kTileBytes));
  }
  encoder_->analyse_tiles(views_);
  encoder_->quantise(quality.scale, latents_);
  device_ms_ += encoder_->device_times().total();
  kept_.clear();
  for (size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& candidate = candidates_[i];
    const bool palette =
        candidate.palette_bits <= kWorthOfPalette * estimate_latents(latents_, i, candidates_.size());
    if (palette) {
      gather(part(picture, grid.rect(candidate.part.tile)), candidate.part.mask);
      palette_.build(pixels_, quality.tolerance);
      append_palette(candidate.part);
    } else {
      kept_.push_back(i);
      operations_->push_back({.kind = Operation::Kind::latents,
                              .tile = candidate.part.tile,
                              .mask = candidate.part.mask,
                              .lossy = true});
    }
  }
  for (size_t c = 0; c < static_cast<size_t>(latent_channels_); ++c) {
    for (const size_t i : kept_) {
      const int8_t* values = latents_.values.data() + (c * candidates_.size() + i) * kTilePositions;
      content_->latents.insert(content_->latents.end(), values, values + kTilePositions);
    }
  }
}

ImageView ContentEncoder::fill_around(ImageView tile, BlockMask mask, uint8_t* filled) const {
  // The blocks that are not shown are made one colour, the mean of those that are, and so cost little.
  std::array<uint64_t, kBytesPerPixel> sums{};
  uint64_t pixels = 0;
  bool whole = true;
  for_each_run(tile.size, ~mask, [&](int, int, int) { whole = false; });
  if (whole) return tile;
  for_each_run(tile.size, mask, [&](int x, int y, int count) {
    const uint8_t* pixel = tile.row(y) + x * kBytesPerPixel;
    for (int i = 0; i < count; ++i, pixel += kBytesPerPixel) {
      for (size_t c = 0; c < sums.size(); ++c) sums[c] += pixel[c];
    }
    pixels += static_cast<uint64_t>(count);
  });
  const MutableImageView result{filled, tile.size, size_t{kTileSide} * kBytesPerPixel};
  for_each_run(tile.size, ~mask, [&](int x, int y, int count) {
    uint8_t* pixel = result.row(y) + x * kBytesPerPixel;
    for (int i = 0; i < count; ++i, pixel += kBytesPerPixel) {
      for (size_t c = 0; c < sums.size(); ++c) pixel[c] = static_cast<uint8_t>(sums[c] / pixels);
    }
  });
  for_each_run(tile.size, mask, [&](int x, int y, int count) {
    std::memcpy(result.row(y) + x * kBytesPerPixel, tile.row(y) + x * kBytesPerPixel,
                static_cast<size_t>(count) * kBytesPerPixel);
  });
  return result;
}

void ContentEncoder::append_palette(const TilePart& part) {
  const std::span<const Colour> colours = palette_.colours();
  const bool solid = colours.size() == 1;
  operations_->push_back({.kind = solid ? Operation::Kind::solid : Operation::Kind::palette,
                          .tile = part.tile,
                          .mask = part.mask,
                          .colours = static_cast<uint16_t>(solid ? 0 : colours.size()),
                          .lossy = !palette_.is_exact()});
  for (const Colour colour : colours) {
    for (const int shift : {0, 8, 16}) content_->colours.push_back(static_cast<uint8_t>(colour >> shift));
  }
  pack_indices(palette_.indices(), colours.size(), content_->indices);
}

}  // namespace latentdesk
