#pragma once

#include <stddef.h>
#include <stdint.h>

// The arithmetic of restoration.h on memory that others give. It is compiled for browsers too, which have no
// standard library: hence the old headers, and loops that compilers turn into SIMD by themselves.

namespace latentdesk::restoration {

inline constexpr int kBlock = 8;
inline constexpr int kPixel = 4;   ///< bytes; what they stand for does not matter
inline constexpr int kMargin = 2;  ///< how far samples see, in pixels
inline constexpr int kReach = 4;   ///< how far steps are spread
inline constexpr int kLargestStep = 255;
inline constexpr int kLargestNoise = 62;  ///< eight halves of it fit a byte
inline constexpr size_t kBlockBytes = size_t{kBlock} * kPixel;

struct Picture {
  uint8_t* pixels;
  size_t stride;  ///< bytes
  int width, height;

  uint8_t* at(int x, int y) const {
    return pixels + static_cast<size_t>(y) * stride + static_cast<size_t>(x) * kPixel;
  }
};

/// What a block is: not decoded, or one of two kinds. Row by row, those that the picture cuts included.
struct Blocks {
  const uint8_t* kinds;
  int columns, rows;

  uint8_t at(int column, int row) const { return kinds[row * columns + column]; }
};

/// In grey levels.
struct Limits {
  int16_t step;      ///< larger steps between blocks stay
  uint8_t noise[2];  ///< of each kind: larger differences between samples stay; up to kLargestNoise
};

template <typename T>
constexpr T smaller(T a, T b) {
  return a < b ? a : b;
}
template <typename T>
constexpr T larger(T a, T b) {
  return a < b ? b : a;
}

// --- borders of blocks ---

/// The samples along a border, from kReach before it to as many behind.
struct Samples {
  uint8_t* at[2 * kReach];
};

inline uint8_t moved(uint8_t sample, int16_t by) {
  const auto sum = static_cast<int16_t>(sample + by);
  return static_cast<uint8_t>(smaller(larger(sum, int16_t{0}), int16_t{255}));
}

/// `limit`: twice that of steps.
inline void smooth_border(const Samples& samples, int16_t limit) {
  constexpr int16_t kShares[kReach] = {16, 5, 4, 2};  // of 32, from the border away
  const uint8_t *p1 = samples.at[kReach - 2], *p0 = samples.at[kReach - 1];
  const uint8_t *q0 = samples.at[kReach], *q1 = samples.at[kReach + 1];
  int16_t excess[kBlockBytes];  // twice what the step has beyond the mean of those beside it
  for (size_t i = 0; i < kBlockBytes; ++i) {
    const auto wrong = static_cast<int16_t>(3 * (q0[i] - p0[i]) - (q1[i] - p1[i]));
    const auto size = static_cast<int16_t>(wrong < 0 ? -wrong : wrong);
    const int16_t ramp = smaller(size, larger(static_cast<int16_t>(limit - size), int16_t{0}));
    excess[i] = static_cast<int16_t>(wrong < 0 ? -ramp : ramp);
  }
  for (int distance = 0; distance < kReach; ++distance) {
    uint8_t* before = samples.at[kReach - 1 - distance];
    uint8_t* behind = samples.at[kReach + distance];
    for (size_t i = 0; i < kBlockBytes; ++i) {
      const auto product = static_cast<int16_t>(excess[i] * kShares[distance] + 32);
      const auto by = static_cast<int16_t>(product >> 6);
      before[i] = moved(before[i], by);
      behind[i] = moved(behind[i], static_cast<int16_t>(-by));
    }
  }
}

inline void copy_pixel(uint8_t* to, const uint8_t* from) { __builtin_memcpy(to, from, kPixel); }

/// The border at the left of the block that begins at `corner`, turned as if it were one at the top.
inline void smooth_left(uint8_t* corner, size_t stride, int16_t limit) {
  uint8_t turned[2 * kReach][kBlockBytes];
  Samples samples;
  uint8_t* first = corner - kReach * kPixel;
  for (size_t i = 0; i < 2 * kReach; ++i) {
    samples.at[i] = turned[i];
    for (size_t y = 0; y < kBlock; ++y) copy_pixel(turned[i] + y * kPixel, first + y * stride + i * kPixel);
  }
  smooth_border(samples, limit);
  for (size_t i = 0; i < 2 * kReach; ++i) {
    for (size_t y = 0; y < kBlock; ++y) copy_pixel(first + y * stride + i * kPixel, turned[i] + y * kPixel);
  }
}

inline void smooth_top(uint8_t* corner, size_t stride, int16_t limit) {
  Samples samples;
  for (size_t i = 0; i < 2 * kReach; ++i) samples.at[i] = corner + i * stride - kReach * stride;
  smooth_border(samples, limit);
}

inline void smooth_borders(const Picture& picture, const Blocks& blocks, int step) {
  const auto limit = static_cast<int16_t>(2 * step);
  const int columns = picture.width / kBlock, rows = picture.height / kBlock;  // whole ones
  for (int y = 0; y < rows; ++y) {
    for (int x = 1; x < columns; ++x) {
      if (blocks.at(x - 1, y) && blocks.at(x, y))
        smooth_left(picture.at(x * kBlock, y * kBlock), picture.stride, limit);
    }
  }
  for (int y = 1; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      if (blocks.at(x, y - 1) && blocks.at(x, y))
        smooth_top(picture.at(x * kBlock, y * kBlock), picture.stride, limit);
    }
  }
}

// --- samples ---

/// A picture as it was, with kMargin pixels more on each side, which repeat those at its edge.
struct Copy {
  uint8_t* pixels;
  size_t stride;

  Copy(uint8_t* memory, int width)
      : pixels(memory), stride(static_cast<size_t>(width + 2 * kMargin) * kPixel) {}
  uint8_t* at(int x, int y) const {
    return pixels + static_cast<size_t>(y + kMargin) * stride + static_cast<size_t>(x + kMargin) * kPixel;
  }
};

constexpr size_t copy_bytes(int width, int height) {
  return static_cast<size_t>(width + 2 * kMargin) * static_cast<size_t>(height + 2 * kMargin) * kPixel;
}

/// Calls `visit(begin, end, row, kind)` for each run of decoded blocks; `by_kind`: of one kind.
template <typename Visit>
void for_each_run(const Blocks& blocks, bool by_kind, const Visit& visit) {
  for (int y = 0; y < blocks.rows; ++y) {
    for (int x = 0; x < blocks.columns;) {
      const uint8_t kind = blocks.at(x, y);
      const int begin = x++;
      if (kind == 0) continue;
      while (x < blocks.columns && blocks.at(x, y) != 0 && (!by_kind || blocks.at(x, y) == kind)) ++x;
      visit(begin, x, y, kind);
    }
  }
}

/// Pixels from `begin` to `end` of a row, and those around them; `y` may lie outside.
inline void copy_around(const Picture& picture, const Copy& copy, int begin, int end, int y) {
  const int from = smaller(larger(y, 0), picture.height - 1);
  const int first = larger(begin - kMargin, 0), last = smaller(end + kMargin, picture.width);
  __builtin_memcpy(copy.at(first, y), picture.at(first, from), static_cast<size_t>(last - first) * kPixel);
  for (int x = begin - kMargin; x < 0; ++x) copy_pixel(copy.at(x, y), picture.at(0, from));
  for (int x = picture.width; x < end + kMargin; ++x)
    copy_pixel(copy.at(x, y), picture.at(picture.width - 1, from));
}

/// How far a sample is drawn to another: by their difference up to half of the limit, then ever less.
inline void draw(uint8_t sample, uint8_t other, uint8_t limit, uint8_t& up, uint8_t& down) {
  const uint8_t most = larger(sample, other);
  const auto rise = static_cast<uint8_t>(most - sample), fall = static_cast<uint8_t>(most - other);
  const auto size = static_cast<uint8_t>(rise | fall);
  const auto ramp = smaller(size, static_cast<uint8_t>(larger(limit, size) - size));
  up = static_cast<uint8_t>(up + smaller(rise, ramp));
  down = static_cast<uint8_t>(down + smaller(fall, ramp));
}

/// What the eight samples at this distance draw a sample by, in all.
inline int16_t drawn(const uint8_t* at, ptrdiff_t across, ptrdiff_t down, uint8_t limit) {
  uint8_t up = 0, low = 0;
  const uint8_t sample = *at;
  draw(sample, at[-down - across], limit, up, low);
  draw(sample, at[-down], limit, up, low);
  draw(sample, at[-down + across], limit, up, low);
  draw(sample, at[-across], limit, up, low);
  draw(sample, at[across], limit, up, low);
  draw(sample, at[down - across], limit, up, low);
  draw(sample, at[down], limit, up, low);
  draw(sample, at[down + across], limit, up, low);
  return static_cast<int16_t>(up - low);
}

inline void draw_together(const uint8_t* from, size_t stride, uint8_t* to, size_t bytes, uint8_t limit) {
  const auto down = static_cast<ptrdiff_t>(stride);
  for (size_t i = 0; i < bytes; ++i) {
    const auto sum = static_cast<int16_t>(drawn(from + i, kPixel, down, limit) +
                                          drawn(from + i, ptrdiff_t{2} * kPixel, 2 * down, limit));
    to[i] = static_cast<uint8_t>(from[i] + (static_cast<int16_t>(sum + 8) >> 4));
  }
}

inline void draw_together(const Picture& picture, const Blocks& blocks, const uint8_t* limits,
                          const Copy& copy) {
  const auto end_of = [&picture](int column) { return smaller(column * kBlock, picture.width); };
  for_each_run(blocks, false, [&](int begin, int end, int row, uint8_t) {
    for (int y = row * kBlock - kMargin; y < (row + 1) * kBlock + kMargin; ++y) {
      if (y < picture.height + kMargin) copy_around(picture, copy, begin * kBlock, end_of(end), y);
    }
  });
  for_each_run(blocks, true, [&](int begin, int end, int row, uint8_t kind) {
    const auto bytes = static_cast<size_t>(end_of(end) - begin * kBlock) * kPixel;
    for (int y = row * kBlock; y < smaller((row + 1) * kBlock, picture.height); ++y) {
      draw_together(copy.at(begin * kBlock, y), copy.stride, picture.at(begin * kBlock, y), bytes,
                    limits[kind - 1]);
    }
  });
}

/// `memory`: copy_bytes of the picture's size.
inline void restore(const Picture& picture, const Blocks& blocks, const Limits& limits, uint8_t* memory) {
  smooth_borders(picture, blocks, limits.step);
  draw_together(picture, blocks, limits.noise, Copy(memory, picture.width));
}

}  // namespace latentdesk::restoration
