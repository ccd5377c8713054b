#include "common/codec/cpu/pixels.h"

#include "common/codec/rounding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

// The inner loops are compiled for several instruction sets, and the best is chosen when the program starts.
// Sanitizers and clang do not get along with that.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define LATENTDESK_VECTORISED \
  __attribute__((target_clones("arch=skylake-avx512", "avx2", "default"), noinline))
#else
#define LATENTDESK_VECTORISED
#endif

namespace latentdesk::cpu {

namespace {

constexpr int kRgb = 3;
constexpr int kMaxBlock = 8;
/// Positions that are transposed together: their bytes of one channel fill a sixteenth of a page and a fourth
/// of a cache line.
constexpr size_t kStrip = 16;
constexpr size_t kWord = 8;  ///< positions, or channels, that are turned at once

/// Nearest integer of a value well below 2^22: added to 1.5 * 2^23, a float has no bits left for the
/// fraction.
inline int32_t nearest(float value) {
  constexpr float kShift = 12582912.0f;
  return std::bit_cast<int32_t>(value + kShift) - std::bit_cast<int32_t>(kShift);
}

LATENTDESK_VECTORISED void bytes_to_unit(const uint8_t* in, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<float>(in[i]) * (1.0f / 255.0f);
}

LATENTDESK_VECTORISED void unit_to_bytes(const float* in, size_t count, uint8_t* out) {
  for (size_t i = 0; i < count; ++i) {
    const float value = std::min(std::max(in[i] * 255.0f, 0.0f), 255.0f);
    out[i] = static_cast<uint8_t>(nearest(value));
  }
}

/// One position's channels.
LATENTDESK_VECTORISED void round_to_int8(const float* in, size_t channels, float steps_per_unit,
                                         const float* dead_zones, int8_t* out) {
  for (size_t c = 0; c < channels; ++c) {
    const float steps = in[c] * steps_per_unit;
    const float size = std::min(std::abs(steps), 127.0f);
    out[c] = static_cast<int8_t>(nearest(std::copysign(size < dead_zones[c] ? 0.0f : size, steps)));
  }
}

/// One row of a block's pixels, BGRX, to RGB bytes; `columns` of them exist, the last is repeated to `block`.
inline void copy_rgb(const uint8_t* bgrx, int columns, int block, uint8_t* rgb) {
  for (int dx = 0; dx < block; ++dx) {
    const uint8_t* pixel = bgrx + std::min(dx, columns - 1) * kBytesPerPixel;
    rgb[dx * kRgb] = pixel[2];
    rgb[dx * kRgb + 1] = pixel[1];
    rgb[dx * kRgb + 2] = pixel[0];
  }
}

/// Reads a byte beyond the last pixel.
inline void store_bgrx(const uint8_t* rgb, int columns, uint8_t* bgrx) {
  for (int dx = 0; dx < columns; ++dx) {
    uint32_t pixel;
    std::memcpy(&pixel, rgb + dx * kRgb, sizeof pixel);
    pixel = __builtin_bswap32(pixel) >> 8 | 0xff000000u;
    std::memcpy(bgrx + dx * kBytesPerPixel, &pixel, sizeof pixel);
  }
}

inline void store(const uint8_t* bytes, size_t count, float* out) { bytes_to_unit(bytes, count, out); }
inline void store(const uint8_t* bytes, size_t count, uint8_t* out) { std::memcpy(out, bytes, count); }

/// One row of blocks, `columns` of them.
template <typename Element>
void row_to_depth(ImageView image, int y, int columns, int block, Element* out) {
  const size_t values = static_cast<size_t>(block * block * kRgb);
  uint8_t rgb[kMaxBlock * kMaxBlock * kRgb];
  for (int x = 0; x < columns; ++x) {
    const int left = std::min(x * block, image.size.width - 1);
    const int existing = std::min(block, image.size.width - left);
    for (int dy = 0; dy < block; ++dy) {
      const uint8_t* row = image.row(std::min(y * block + dy, image.size.height - 1));
      copy_rgb(row + left * kBytesPerPixel, existing, block, rgb + dy * block * kRgb);
    }
    store(rgb, values, out + static_cast<size_t>(x) * values);
  }
}

/// One row of blocks, as far as the picture goes; so many blocks at once.
void depth_to_row(const float* in, int y, int block, MutableImageView image) {
  constexpr int kAtOnce = 16;
  const int values = block * block * kRgb;
  uint8_t rgb[kAtOnce * kMaxBlock * kMaxBlock * kRgb + 1];
  const int rows = std::min(block, image.size.height - y * block);
  const int columns = (image.size.width + block - 1) / block;
  for (int first = 0; first < columns; first += kAtOnce) {
    const int count = std::min(kAtOnce, columns - first);
    unit_to_bytes(in + static_cast<size_t>(first) * static_cast<size_t>(values),
                  static_cast<size_t>(count * values), rgb);
    for (int dy = 0; dy < rows; ++dy) {
      uint8_t* out = image.row(y * block + dy);
      for (int x = 0; x < count; ++x) {
        const int left = (first + x) * block;
        store_bgrx(rgb + x * values + dy * block * kRgb, std::min(block, image.size.width - left),
                   out + left * kBytesPerPixel);
      }
    }
  }
}

/// Values in a row of `columns` blocks.
size_t row_values(int columns, int block) { return static_cast<size_t>(columns * block * block * kRgb); }

template <typename Element>
void picture_to_depth(ImageView image, int block, Element* out) {
  const int rows = (image.size.height + block - 1) / block;
  const int columns = (image.size.width + block - 1) / block;
  for (int y = 0; y < rows; ++y) {
    row_to_depth(image, y, columns, block, out + static_cast<size_t>(y) * row_values(columns, block));
  }
}

template <typename Element>
void several_to_depth(std::span<const ImageView> tiles, int side, int block, Element* out) {
  const int rows = side / block;
  const int all_rows = rows * static_cast<int>(tiles.size());
  for (int i = 0; i < all_rows; ++i) {
    row_to_depth(tiles[static_cast<size_t>(i / rows)], i % rows, rows, block,
                 out + static_cast<size_t>(i) * row_values(rows, block));
  }
}

/// Planar to `out[position][channel]`, each value through `convert`.
template <typename Element, typename Convert>
void from_planes(const Latents& in, size_t begin, size_t count, Element* out, const Convert& convert) {
  const size_t positions = in.shape.positions();
  const size_t end = begin + count;
  const auto channels = static_cast<size_t>(in.shape.channels);
  for (size_t first = begin; first < end; first += kStrip) {
    const size_t strip = std::min(kStrip, end - first);
    for (size_t c = 0; c < channels; ++c) {
      const int8_t* plane = in.values.data() + c * positions + first;
      for (size_t p = 0; p < strip; ++p) out[(first - begin + p) * channels + c] = convert(plane[p]);
    }
  }
}

/// A matrix of 8x8 bytes, a row in each word, its first byte lowest.
inline void transpose(std::array<uint64_t, 8>& rows) {
  const auto swap = [&rows](size_t distance, int shift, uint64_t mask) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if ((i & distance) != 0) continue;
      const uint64_t changed = (rows[i] >> shift ^ rows[i + distance]) & mask;
      rows[i] ^= changed << shift;
      rows[i + distance] ^= changed;
    }
  };
  swap(4, 32, 0x00000000ffffffff);
  swap(2, 16, 0x0000ffff0000ffff);
  swap(1, 8, 0x00ff00ff00ff00ff);
}

/// As from_planes, of bytes that stay as they are, where both sides are multiples of 8.
void turned_by_words(const Latents& in, size_t begin, size_t count, int8_t* out) {
  constexpr size_t kLine = 64;
  const size_t positions = in.shape.positions();
  const auto channels = static_cast<size_t>(in.shape.channels);
  const auto turn = [&](size_t first, size_t c) {
    const int8_t* plane = in.values.data() + c * positions + begin + first;
    std::array<uint64_t, kWord> words;
    for (size_t i = 0; i < kWord; ++i) std::memcpy(&words[i], plane + i * positions, kWord);
    transpose(words);
    for (size_t i = 0; i < kWord; ++i) std::memcpy(out + (first + i) * channels + c, &words[i], kWord);
  };
  // Planes are far apart: what the cache reads of one is used up.
  for (size_t line = 0; line < count; line += kLine) {
    for (size_t c = 0; c < channels; c += kWord) {
      for (size_t first = line; first < std::min(line + kLine, count); first += kWord) turn(first, c);
    }
  }
}

}  // namespace

void space_to_depth(ImageView image, int block, float* out) { picture_to_depth(image, block, out); }
void space_to_depth(ImageView image, int block, uint8_t* out) { picture_to_depth(image, block, out); }

void tiles_to_depth(std::span<const ImageView> tiles, int side, int block, float* out) {
  several_to_depth(tiles, side, block, out);
}

void tiles_to_depth(std::span<const ImageView> tiles, int side, int block, uint8_t* out) {
  several_to_depth(tiles, side, block, out);
}

void depth_to_space(const float* in, int width, int block, MutableImageView image) {
  const int rows = (image.size.height + block - 1) / block;
  for (int y = 0; y < rows; ++y) {
    depth_to_row(in + static_cast<size_t>(y) * row_values(width, block), y, block, image);
  }
}

void depth_to_tiles(const float* in, int side, int block, std::span<const MutableImageView> tiles) {
  const int rows = side / block;
  const int all_rows = rows * static_cast<int>(tiles.size());
  for (int i = 0; i < all_rows; ++i) {
    const MutableImageView tile = tiles[static_cast<size_t>(i / rows)];
    if (i % rows * block >= tile.size.height) continue;
    depth_to_row(in + static_cast<size_t>(i) * row_values(rows, block), i % rows, block, tile);
  }
}

void quantise(const float* in, size_t begin, size_t count, Latents& out) {
  const size_t positions = out.shape.positions();
  const auto channels = static_cast<size_t>(out.shape.channels);
  const float steps_per_unit = 1.0f / out.scale;
  float dead_zones[kMaxLatentChannels];
  for (size_t c = 0; c < channels; ++c) dead_zones[c] = dead_zone(static_cast<int>(c));
  for (size_t first = 0; first < count; first += kStrip) {
    const size_t some = std::min(kStrip, count - first);
    int8_t strip[kStrip * kMaxLatentChannels];
    for (size_t p = 0; p < some; ++p) {
      round_to_int8(in + (first + p) * channels, channels, steps_per_unit, dead_zones, strip + p * channels);
    }
    for (size_t c = 0; c < channels; ++c) {
      int8_t* plane = out.values.data() + c * positions + begin + first;
      for (size_t p = 0; p < some; ++p) plane[p] = strip[p * channels + c];
    }
  }
}

void dequantise(const Latents& in, size_t begin, size_t count, float* out) {
  from_planes(in, begin, count, out,
              [scale = in.scale](int8_t value) { return static_cast<float>(value) * scale; });
}

void dequantise(const Latents& in, size_t begin, size_t count, int8_t* out) {
  const auto channels = static_cast<size_t>(in.shape.channels);
  const size_t by_words = channels % kWord == 0 ? count / kWord * kWord : 0;
  turned_by_words(in, begin, by_words, out);
  from_planes(in, begin + by_words, count - by_words, out + by_words * channels,
              [](int8_t value) { return value; });
}

}  // namespace latentdesk::cpu
