#include "common/stream/content.h"

#include "common/stream/estimates.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace latentdesk {

namespace {

constexpr size_t kTileBytes = size_t{kTileSide} * kTileSide * kBytesPerPixel;
constexpr size_t kTileStride = size_t{kTileSide} * kBytesPerPixel;
constexpr double kNever = std::numeric_limits<double>::infinity();

// Beside what is decoded and compared, a palette may cost a little more: it keeps edges, and often need not
// be refined.
constexpr double kWorthOfPalette = 1.2;
// Where latents are not decoded, it may cost so many times what they do.
constexpr double kWorthOfPaletteUndecoded = 1.8;
// Text and interface are to be within the palette's bound at once: it may cost so many times what else does.
constexpr double kWorthOfDrawn = 4;
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
  Candidate candidate{.part = part, .palette = {}, .latents = {}};
  if (palette_.count(pixels_)) {
    candidate.drawn = is_drawn(palette_, row_starts_);
    if (candidate.drawn || palette_.distinct() <= kMostShades) build_palette(quality, candidate);
    const double cheap = kCheapPalette * static_cast<double>(pixels_.size());
    if (candidate.palette.at(quality.worth) <= cheap) {
      palette_.merge(candidate.tolerance);
      return append_palette(part);
    }
  }
  candidate.flat = has_flat_areas(tile, part.mask);
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
  encoder_->encode_tiles(views_, quality.scale, latents_);
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
                              .drawn = candidate.flat,
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
    candidate.latents.error = kNever;
    if (!decodes) continue;
    const ImageView tile = part(picture, grid.rect(candidate.part.tile));
    restore_as_viewers(candidate, quality.scale, outputs_[i]);
    candidate.latents.error = squared_error(tile, outputs_[i], candidate.part.mask);
  }
}

void ContentEncoder::restore_as_viewers(const Candidate& candidate, float scale, MutableImageView decoded) {
  const auto kind = candidate.flat ? Restoration::Kind::drawn : Restoration::Kind::natural;
  restoration_.begin(decoded.size);
  for_each_block(candidate.part.mask, [&](int x, int y) { restoration_.mark(x, y, kind); });
  restoration_.restore(decoded, scale);
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
