#include "common/stream/content.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace latentdesk {

namespace {

constexpr size_t kTileBytes = size_t{kTileSide} * kTileSide * kBytesPerPixel;
constexpr size_t kTileStride = size_t{kTileSide} * kBytesPerPixel;
constexpr size_t kTilePositions = size_t{kTileLatentSide} * kTileLatentSide;
constexpr double kNever = std::numeric_limits<double>::infinity();

// Estimates of what DEFLATE makes of each kind of content, fitted to recorded desktops: bits.
constexpr double kBitsPerColour = 16;
constexpr double kOneChangeBits = 2.2;   // an index that differs from its left or its upper neighbour
constexpr double kTwoChangesBits = 6.5;  // from both
constexpr double kLatentBits = 5.8;      // a value that is not 0
constexpr double kLatentDoublingBits = 0.6;
constexpr double kResidualBits = 1.5;  // for each bit of a tile's own entropy

// A palette is near the original where latents are not, and need not be refined: it may cost so many times
// more.
constexpr double kWorthOfPalette = 1.8;
// From this quality on it is asked what latents look like: before, they look better than pixels for the bits.
constexpr int kAskForPixels = 60;
// Of what pixels may cost for their nearness: at 1 they would be worth the last bit of a fine quantiser.
constexpr double kThrift = 0.5;
// Below this many bits a pixel a palette is taken without asking what latents would cost.
constexpr double kCheapPalette = 1.0;

// The tolerance of palettes falls linearly with quality and is 0 from kExactPalettes on.
constexpr int kExactPalettes = 95;
constexpr double kTolerancePerPoint = 0.4;
constexpr double kErrorPerPoint = 0.16;

/// What every int8 takes as a latent.
struct LatentBits {
  std::array<float, 256> bits{};
  LatentBits() {
    for (int value = 1; value < 256; ++value) {
      const double magnitude = std::abs(static_cast<int>(static_cast<int8_t>(value)));
      bits[static_cast<size_t>(value)] =
          static_cast<float>(kLatentBits + kLatentDoublingBits * std::log2(magnitude));
    }
  }
};

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

/// The entropy of each plane's bytes, which is what Huffman codes come to.
double estimate_residuals(const ResidualPlanes& planes) {
  double bits = 0;
  for (const auto& plane : planes) {
    std::array<uint32_t, 256> counts{};
    for (const uint8_t residual : plane) ++counts[residual];
    for (const uint32_t count : counts) {
      if (count > 0) bits += count * std::log2(static_cast<double>(plane.size()) / count);
    }
  }
  return kResidualBits * bits;
}

double estimate_latents(const Latents& latents, size_t tile, size_t tiles) {
  static const LatentBits table;
  double bits = 0;
  for (size_t c = 0; c < static_cast<size_t>(latents.shape.channels); ++c) {
    const int8_t* values = latents.values.data() + (c * tiles + tile) * kTilePositions;
    for (size_t i = 0; i < kTilePositions; ++i) bits += table.bits[static_cast<uint8_t>(values[i])];
  }
  return bits;
}

/// Of the three colours of the pixels in `mask`.
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

/// What a quantiser whose largest error is `error` pays for the last bit of nearness: its error is D = e (e +
/// 1) / 3 a sample, and by R = log2(variance / D) / 2 a sample, dR/dD is -1 / (2 ln 2 D).
double bits_per_squared_error(int error) { return kThrift * 3 / (2 * std::log(2.0) * error * (error + 1)); }

}  // namespace

CodingQuality coding_quality(const Model& model, int quality) {
  const double tolerance = std::max(0.0, (kExactPalettes - quality) * kTolerancePerPoint);
  const int error = std::max(1, static_cast<int>(std::lround((100 - quality) * kErrorPerPoint)));
  return {model.scale_for_quality(quality), static_cast<int>(std::lround(tolerance)),
          quality < kAskForPixels ? 0 : error, false};
}

ContentEncoder::ContentEncoder(std::unique_ptr<Encoder> encoder, std::unique_ptr<Decoder> decoder,
                               int latent_channels)
    : encoder_(std::move(encoder)), decoder_(std::move(decoder)), latent_channels_(latent_channels) {}

void ContentEncoder::encode(ImageView picture, const TileGrid& grid, std::span<const TilePart> parts,
                            const CodingQuality& quality, std::vector<Operation>& operations,
                            UpdateParts& content) {
  operations_ = &operations;
  content_ = &content;
  content.latent_channels = latent_channels_;
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
  measure_residuals(tile, part.mask, 0);
  if (has_palette && estimate_palette(palette_, row_starts_) <= estimate_residuals(residuals_)) {
    return append_palette(part);
  }
  append_residuals(part, 0);
}

void ContentEncoder::measure_residuals(ImageView tile, BlockMask mask, int error) {
  for (auto& plane : residuals_) plane.clear();
  restored_.resize(kTileBytes);
  latentdesk::append_residuals(tile, mask, error, {restored_.data(), tile.size, kTileStride}, residuals_);
}

void ContentEncoder::append_residuals(const TilePart& part, int error) {
  for (size_t c = 0; c < 3; ++c) {
    content_->residuals[c].insert(content_->residuals[c].end(), residuals_[c].begin(), residuals_[c].end());
  }
  operations_->push_back({.kind = Operation::Kind::pixels,
                          .tile = part.tile,
                          .mask = part.mask,
                          .error = static_cast<uint8_t>(error),
                          .lossy = error > 0});
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
  measure_latents(picture, grid, quality);
  kept_.clear();
  for (size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& candidate = candidates_[i];
    const ImageView tile = part(picture, grid.rect(candidate.part.tile));
    const Operation::Kind kind = choose(tile, candidate, quality.error);
    if (kind == Operation::Kind::pixels) {
      append_residuals(candidate.part, quality.error);
    } else if (kind == Operation::Kind::palette) {
      gather(tile, candidate.part.mask);
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

void ContentEncoder::measure_latents(ImageView picture, const TileGrid& grid, const CodingQuality& quality) {
  const bool decodes = decoder_ && quality.error > 0;
  if (decodes) {
    decoded_.resize(candidates_.size() * kTileBytes);
    outputs_.clear();
    for (const ImageView& view : views_) {
      outputs_.push_back({decoded_.data() + outputs_.size() * kTileBytes, view.size, kTileStride});
    }
    decoder_->decode_tiles(latents_, outputs_);
    device_ms_ += decoder_->device_times().total();
  }
  for (size_t i = 0; i < candidates_.size(); ++i) {
    Candidate& candidate = candidates_[i];
    candidate.latent_bits = estimate_latents(latents_, i, candidates_.size());
    const ImageView tile = part(picture, grid.rect(candidate.part.tile));
    candidate.latent_error = decodes ? squared_error(tile, outputs_[i], candidate.part.mask) : kNever;
  }
}

Operation::Kind ContentEncoder::choose(ImageView tile, const Candidate& candidate, int error) {
  Operation::Kind best = Operation::Kind::latents;
  double bits = candidate.latent_bits;
  if (candidate.latent_error != kNever) {
    measure_residuals(tile, candidate.part.mask, error);
    const MutableImageView restored{restored_.data(), tile.size, kTileStride};
    const double residual_bits = estimate_residuals(residuals_);
    const double saved = candidate.latent_error - squared_error(tile, restored, candidate.part.mask);
    if (residual_bits < bits + bits_per_squared_error(error) * saved) {
      best = Operation::Kind::pixels;
      bits = residual_bits;
    }
  }
  return candidate.palette_bits <= kWorthOfPalette * bits ? Operation::Kind::palette : best;
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
  const MutableImageView result{filled, tile.size, kTileStride};
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
