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

// Beside what is decoded and compared, a palette may cost a little more: it keeps edges, and often need not
// be refined.
constexpr double kWorthOfPalette = 1.2;
// Where latents are not decoded, it may cost so many times what they do.
constexpr double kWorthOfPaletteUndecoded = 1.8;
// Text and interface are to be within the palette's bound at once: it may cost so many times what else does.
constexpr double kWorthOfDrawn = 4;
// At most so many of their pixels differ from a neighbour, of shaded surfaces more; and of these so many from
// both, of photographs and noise beside flat areas more.
constexpr double kDrawnChanges = 0.55;
constexpr double kDrawnBoth = 0.78;
// What has more colours and is not drawn is not worth the time that a palette takes.
constexpr size_t kMostShades = 512;
// From this quality on it is asked what latents look like.
constexpr int kDecodeFrom = 60;
// Below this many bits a pixel a palette is taken without asking what latents would cost.
constexpr double kCheapPalette = 0.3;

// What a squared error less, of one channel of a pixel, may cost in bits: what finer latents pay for it on
// photographs, between qualities of 80 and 100.
constexpr double kWorthAt80 = 0.03;
constexpr double kWorthGrowth = 0.038;

// The tolerance of palettes falls linearly with quality and is 0 from kExactPalettes on.
constexpr int kExactPalettes = 95;
constexpr double kTolerancePerPoint = 0.4;
// A tile whose large areas would change is better off with less of it, which is tried in these parts.
constexpr std::array kToleranceDivisors{1, 2, 4, 256};
// Not where the error costs less than this part of the bits.
constexpr double kNoWorse = 0.05;
constexpr double kErrorPerPoint = 0.16;

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

double estimate_palette(const Palette& palette, std::span<const uint32_t> rows) {
  const Changes changes = count_changes(palette.indices(), rows);
  return kBitsPerColour * static_cast<double>(palette.colours().size()) +
         kEdgeBits * static_cast<double>(changes.edges) + kRowBits * static_cast<double>(changes.rows) +
         kTwoChangesBits * static_cast<double>(changes.both);
}

/// Text and interface, by the colours as they are.
bool is_drawn(const Palette& palette, std::span<const uint32_t> rows) {
  const Changes changes = count_changes(palette.counted(), rows);
  const size_t any = changes.any_up + changes.edges;
  return static_cast<double>(any) <= kDrawnChanges * static_cast<double>(changes.compared) &&
         static_cast<double>(changes.both) <= kDrawnBoth * static_cast<double>(any);
}

/// The entropy of each plane's bytes: in a tile alone it is as far below what the range coder needs to learn
/// as that is above what it gains by neighbours.
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

double estimate_differences(const int8_t* channel) {
  double bits = 0;
  for (size_t i = 0; i < kTilePositions; ++i) {
    const int left = i % kTileLatentSide > 0 ? channel[i - 1] : 0;
    const int least = std::min(std::abs(channel[i]), std::abs(channel[i] - left));
    if (least > 0) bits += kDifferenceBits + kDifferenceDoublingBits * std::log2(least);
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

}  // namespace

CodingQuality coding_quality(const Model& model, int quality) {
  const double tolerance = std::max(0.0, (kExactPalettes - quality) * kTolerancePerPoint);
  const int error = std::max(1, static_cast<int>(std::lround((100 - quality) * kErrorPerPoint)));
  const bool decode = quality >= kDecodeFrom;
  return {.scale = model.scale_for_quality(quality),
          .tolerance = static_cast<int>(std::lround(tolerance)),
          .error = decode ? error : 0,
          .worth = kWorthAt80 * std::exp((quality - 80) * kWorthGrowth),
          .decode = decode,
          .exact = false};
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
      encode_exact(tile, part, quality.error);
    } else {
      encode_lossy(tile, part, quality);
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

void ContentEncoder::encode_exact(ImageView tile, const TilePart& part, int error) {
  gather(tile, part.mask);
  const bool has_palette = palette_.build(pixels_, 0);
  if (has_palette && palette_.colours().size() == 1) return append_palette(part);
  measure_residuals(tile, part.mask, error);
  if (has_palette && estimate_palette(palette_, row_starts_) <= estimate_residuals(residuals_)) {
    return append_palette(part);
  }
  append_residuals(tile.size, part, error);
}

void ContentEncoder::measure_residuals(ImageView tile, BlockMask mask, int error) {
  for (auto& plane : residuals_) plane.clear();
  restored_.resize(kTileBytes);
  latentdesk::append_residuals(tile, mask, error, {restored_.data(), tile.size, kTileStride}, residuals_);
}

void ContentEncoder::append_residuals(Size tile, const TilePart& part, int error) {
  for (size_t c = 0; c < 3; ++c) {
    content_->residuals[c].insert(content_->residuals[c].end(), residuals_[c].begin(), residuals_[c].end());
  }
  content_->pixel_areas.push_back({tile, part.mask});
  operations_->push_back({.kind = Operation::Kind::pixels,
                          .tile = part.tile,
                          .mask = part.mask,
                          .error = static_cast<uint8_t>(error),
                          .lossy = error > 0});
}

void ContentEncoder::encode_lossy(ImageView tile, const TilePart& part, const CodingQuality& quality) {
  gather(tile, part.mask);
  Candidate candidate{part, {}, 0, false, {}};
  if (palette_.count(pixels_)) {
    candidate.drawn = is_drawn(palette_, row_starts_);
    if (candidate.drawn || palette_.distinct() <= kMostShades) build_palette(quality, candidate);
    const double cheap = kCheapPalette * static_cast<double>(pixels_.size());
    if (candidate.palette.at(quality.worth) <= cheap) {
      palette_.merge(candidate.tolerance);
      return append_palette(part);
    }
  }
  candidates_.push_back(candidate);
}

void ContentEncoder::build_palette(const CodingQuality& quality, Candidate& candidate) {
  for (const int divisor : kToleranceDivisors) {
    const int tolerance = quality.tolerance / divisor;
    if (!palette_.merge(tolerance)) return;
    const Cost cost{estimate_palette(palette_, row_starts_), static_cast<double>(palette_.squared_error())};
    if (cost.at(quality.worth) < candidate.palette.at(quality.worth)) {
      candidate.palette = cost;
      candidate.tolerance = tolerance;
    }
    if (quality.worth * cost.error <= kNoWorse * cost.bits) return;
  }
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
    const Operation::Kind kind = choose(tile, candidate, quality);
    if (kind == Operation::Kind::pixels) {
      append_residuals(tile.size, candidate.part, quality.error);
    } else if (kind == Operation::Kind::palette) {
      gather(tile, candidate.part.mask);
      palette_.build(pixels_, candidate.tolerance);
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
  const bool decodes = decoder_ && quality.decode;
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
    candidate.latents.bits = estimate_latents(latents_, i, candidates_.size());
    const ImageView tile = part(picture, grid.rect(candidate.part.tile));
    candidate.latents.error = decodes ? squared_error(tile, outputs_[i], candidate.part.mask) : kNever;
  }
}

Operation::Kind ContentEncoder::choose(ImageView tile, const Candidate& candidate,
                                       const CodingQuality& quality) {
  if (candidate.latents.error == kNever) {
    const double worth = candidate.drawn ? kWorthOfDrawn : kWorthOfPaletteUndecoded;
    const bool palette = candidate.palette.bits <= worth * candidate.latents.bits;
    return palette ? Operation::Kind::palette : Operation::Kind::latents;
  }
  const double as_latents = candidate.latents.at(quality.worth);
  measure_residuals(tile, candidate.part.mask, quality.error);
  const MutableImageView restored{restored_.data(), tile.size, kTileStride};
  const Cost pixels{estimate_residuals(residuals_), squared_error(tile, restored, candidate.part.mask)};
  const double as_pixels = pixels.at(quality.worth);
  const double worth = candidate.drawn ? kWorthOfDrawn : kWorthOfPalette;
  if (candidate.palette.at(quality.worth) <= worth * std::min(as_latents, as_pixels))
    return Operation::Kind::palette;
  return as_pixels <= (candidate.drawn ? kWorthOfDrawn : 1) * as_latents ? Operation::Kind::pixels
                                                                         : Operation::Kind::latents;
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
