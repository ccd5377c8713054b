#include "common/stream/latent_coding.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>
#include <cstring>

namespace latentdesk {

namespace {

constexpr int kMostUnary = 15;      // magnitudes from here on have their excess coded by an Exp-Golomb code
constexpr int kMostExcessBits = 6;  // which no int8 goes beyond
constexpr int kMaxMagnitude = 128;

size_t width_of(int value) { return static_cast<size_t>(std::bit_width(static_cast<unsigned>(value))); }

/// Of position (x, y) of a channel's 8x8 values: the median of left, above, and left + above - above left, or
/// the one that there is. `first` is what the first position is expected to be.
int predict(const int8_t* values, int x, int y, int first) {
  const int8_t* here = values + y * 8 + x;
  if (y == 0) return x == 0 ? first : here[-1];
  if (x == 0) return here[-8];
  const int left = here[-1], above = here[-8];
  return std::clamp(left + above - here[-9], std::min(left, above), std::max(left, above));
}

/// Visits a channel's values and what each is expected to be, in order.
template <typename Value, typename Visit>
void for_each_predicted(Value* channel, size_t tile, const Visit& visit) {
  Value* values = channel + tile * 64;
  const int first = tile == 0 ? 0 : values[7 - 64];  // the upper right one of the tile before
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) visit(values[y * 8 + x], predict(values, x, y, first), y * 8 + x);
  }
}

int8_t wrapped(int value) { return static_cast<int8_t>(static_cast<uint8_t>(value)); }

}  // namespace

void LatentCoder::begin(int channels, size_t tiles) {
  assert(channels > 0 && channels <= kMaxChannels);
  channels_ = channels;
  tiles_ = tiles;
  models_ = {};
  last_count_ = 0;
}

void LatentCoder::encode(std::span<const int8_t> latents, int channels, std::vector<uint8_t>& out) {
  begin(channels, latents.size() / (kPositions * static_cast<size_t>(channels)));
  RangeEncoder coder(out);
  choose_predicted(latents);
  coder.code_bits(predicted_, kPredicted);
  for (size_t tile = 0; tile < tiles_; ++tile) {
    gather(latents, tile);
    code_tile(coder);
  }
  coder.finish();
}

void LatentCoder::decode(ByteView stream, int channels, std::span<int8_t> latents) {
  begin(channels, latents.size() / (kPositions * static_cast<size_t>(channels)));
  RangeDecoder coder(stream);
  predicted_ = coder.code_bits(0, kPredicted);
  for (size_t tile = 0; tile < tiles_; ++tile) {
    code_tile(coder);
    coder.check();
    scatter(latents, tile);
  }
  coder.finish();
}

void LatentCoder::choose_predicted(std::span<const int8_t> latents) {
  predicted_ = 0;
  for (int c = 0; c < std::min(channels_, kPredicted); ++c) {
    const int8_t* channel = latents.data() + static_cast<size_t>(c) * tiles_ * kPositions;
    size_t plain = 0, left_over = 0;
    for (size_t tile = 0; tile < tiles_; ++tile) {
      for_each_predicted(channel, tile, [&](int value, int expected, int) {
        plain += width_of(std::abs(value));
        left_over += width_of(std::abs(wrapped(value - expected)));
      });
    }
    if (left_over < plain) predicted_ |= 1u << c;
  }
}

void LatentCoder::gather(std::span<const int8_t> latents, size_t tile) {
  for (int c = 0; c < channels_; ++c) {
    const auto channel = static_cast<size_t>(c);
    const int8_t* from = latents.data() + channel * tiles_ * kPositions;
    if (c < kPredicted && (predicted_ >> c & 1) != 0) {
      for_each_predicted(from, tile, [&](int value, int expected, int position) {
        values_[static_cast<size_t>(position)][channel] = wrapped(value - expected);
      });
    } else {
      for (size_t i = 0; i < kPositions; ++i) values_[i][channel] = from[tile * kPositions + i];
    }
  }
}

void LatentCoder::scatter(std::span<int8_t> latents, size_t tile) const {
  for (int c = 0; c < channels_; ++c) {
    const auto channel = static_cast<size_t>(c);
    int8_t* to = latents.data() + channel * tiles_ * kPositions;
    if (c < kPredicted && (predicted_ >> c & 1) != 0) {
      for_each_predicted(to, tile, [&](int8_t& value, int expected, int position) {
        value = wrapped(values_[static_cast<size_t>(position)][channel] + expected);
      });
    } else {
      for (size_t i = 0; i < kPositions; ++i) to[tile * kPositions + i] = values_[i][channel];
    }
  }
}

template <typename Coder>
void LatentCoder::code_tile(Coder& coder) {
  for (int position = 0; position < kPositions; ++position) {
    auto& values = values_[static_cast<size_t>(position)];
    Row& row = magnitudes_[static_cast<size_t>((position / kSide + 1) * kStride + position % kSide + 1)];
    int count = 0;
    if constexpr (Coder::kEncodes) {
      for (count = channels_; count > 0 && values[static_cast<size_t>(count) - 1] == 0;) --count;
    }
    count = counts_[static_cast<size_t>(position)] = code_count(coder, position, count);
    for (int c = 0; c < count; ++c) {
      int8_t& value = values[static_cast<size_t>(c)];
      value = wrapped(code_value(coder, c, count - 1 - c, &row, value));
      row[static_cast<size_t>(c)] = static_cast<uint8_t>(std::abs(value));
    }
    const auto used = static_cast<size_t>(count), unused = static_cast<size_t>(channels_ - count);
    std::memset(row.data() + used, 0, unused);
    if constexpr (!Coder::kEncodes) std::memset(values.data() + used, 0, unused);
  }
  last_count_ = counts_[kSide - 1];
}

template <typename Coder>
int LatentCoder::code_count(Coder& coder, int position, int count) {
  const int x = position % kSide, y = position / kSide;
  const int* here = &counts_[static_cast<size_t>(position)];
  const int expected = y == 0   ? (x == 0 ? last_count_ : here[-1])
                       : x == 0 ? here[-kSide]
                                : (here[-1] + here[-kSide]) / 2;
  const size_t near = width_of(expected), actual = width_of(count);
  size_t width = 0;
  auto& widths = models_.count_width[near];
  while (width < widths.size() && coder.code(widths[width], actual > width)) ++width;
  if (width < 2) return static_cast<int>(width);
  // Two bits after the highest one are learnt.
  uint32_t value = 1;
  int rest = static_cast<int>(width) - 1;
  for (uint32_t node = 1; rest > 0 && node < 4; value = node) {
    --rest;
    const bool bit = (static_cast<uint32_t>(count) >> rest & 1) != 0;
    node = node << 1 | uint32_t{coder.code(models_.count_bits[width][near][node], bit)};
  }
  value = value << rest | coder.code_bits(static_cast<uint32_t>(count) & ((1u << rest) - 1), rest);
  if (value > static_cast<uint32_t>(channels_))
    throw ProtocolError("a position has more channels than there are");
  return static_cast<int>(value);
}

template <typename Coder>
int LatentCoder::code_value(Coder& coder, int channel, int left, const Row* row, int value) {
  const auto c = static_cast<size_t>(channel);
  const int before = channel > 0 ? (*row)[c - 1] : 0;
  const int around = 2 * row[-1][c] + 2 * row[-kStride][c] + row[-kStride - 1][c] + row[-kStride + 1][c];
  const size_t band = half_octave(channel);
  const size_t near = std::min<size_t>(width_of(around), 7);
  // The last channel that is counted is not 0.
  if (left > 0 && !coder.code(models_.zero[band][near][std::min<size_t>(width_of(left), 7)], value != 0))
    return 0;
  auto& models = models_.magnitude[band][std::min<size_t>(width_of(around + before), 7)];
  const int actual = std::abs(value);
  int magnitude = 1;
  while (magnitude < kMostUnary &&
         coder.code(models[static_cast<size_t>(std::min(magnitude, 8) - 1)], actual > magnitude))
    ++magnitude;
  if (magnitude == kMostUnary) {
    const uint32_t excess = static_cast<uint32_t>(actual - kMostUnary + 1);
    int bits = 0;
    while (bits < kMostExcessBits && coder.code_bits(excess >> (bits + 1) != 0, 1) != 0) ++bits;
    magnitude += static_cast<int>(1u << bits | coder.code_bits(excess & ((1u << bits) - 1), bits)) - 1;
    if (magnitude > kMaxMagnitude) throw ProtocolError("a latent is out of range");
  }
  return coder.code_bits(value < 0, 1) != 0 ? -magnitude : magnitude;
}

}  // namespace latentdesk
