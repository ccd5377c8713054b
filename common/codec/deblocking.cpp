#include "common/codec/deblocking.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace latentdesk {

namespace {

constexpr int kSide = 8;
constexpr int kReach = 4;                                       // pixels on each side of a border
constexpr std::array<int16_t, kReach> kShares = {13, 6, 3, 1};  // of 32, from the border away
constexpr float kGreyLevelsPerScale = 12;
constexpr int kMostGreyLevels = 255;
constexpr size_t kBlockBytes = size_t{kSide} * kBytesPerPixel;

/// The samples along a border of a block, from `kReach` before it to as many behind.
using Samples = std::array<uint8_t*, size_t{2} * kReach>;

uint8_t moved(uint8_t sample, int16_t by) {
  const auto sum = static_cast<int16_t>(sample + by);
  return static_cast<uint8_t>(std::min(std::max(sum, int16_t{0}), int16_t{255}));
}

/// `limit`: twice the largest step, in grey levels, that is smoothed at all.
void smooth_border(const Samples& at, int16_t limit) {
  const uint8_t* p1 = at[kReach - 2];
  const uint8_t* p0 = at[kReach - 1];
  const uint8_t* q0 = at[kReach];
  const uint8_t* q1 = at[kReach + 1];
  std::array<int16_t, kBlockBytes> excess;  // twice what the step has beyond the mean of those beside it
  for (size_t i = 0; i < kBlockBytes; ++i) {
    const auto wrong = static_cast<int16_t>(3 * (q0[i] - p0[i]) - (q1[i] - p1[i]));
    const auto size = static_cast<int16_t>(wrong < 0 ? -wrong : wrong);
    const auto left = static_cast<int16_t>(limit - size);
    const int16_t ramp = std::min(size, std::max(left, int16_t{0}));
    excess[i] = static_cast<int16_t>(wrong < 0 ? -ramp : ramp);
  }
  for (size_t distance = 0; distance < kReach; ++distance) {
    uint8_t* before = at[kReach - 1 - distance];
    uint8_t* behind = at[kReach + distance];
    for (size_t i = 0; i < kBlockBytes; ++i) {
      const auto by = static_cast<int16_t>(static_cast<int16_t>(excess[i] * kShares[distance] + 32) >> 6);
      before[i] = moved(before[i], by);
      behind[i] = moved(behind[i], static_cast<int16_t>(-by));
    }
  }
}

/// The border at the left of the block that begins at `corner`: as if it were one at the top.
void smooth_left(uint8_t* corner, size_t stride, int limit) {
  std::array<std::array<uint8_t, kBlockBytes>, size_t{2} * kReach> turned;
  Samples samples;
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = turned[i].data();
  const auto each_pixel = [&](const auto& visit) {
    for (size_t y = 0; y < kSide; ++y) {
      uint8_t* pixel = corner + y * stride - kReach * kBytesPerPixel;
      for (auto& column : turned) {
        visit(pixel, column.data() + y * kBytesPerPixel);
        pixel += kBytesPerPixel;
      }
    }
  };
  each_pixel([](const uint8_t* from, uint8_t* to) { std::memcpy(to, from, kBytesPerPixel); });
  smooth_border(samples, limit);
  each_pixel([](uint8_t* to, const uint8_t* from) { std::memcpy(to, from, kBytesPerPixel); });
}

void smooth_top(uint8_t* corner, size_t stride, int limit) {
  Samples samples;
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = corner + i * stride - kReach * stride;
  smooth_border(samples, limit);
}

}  // namespace

void BlockBorders::begin(Size size) {
  columns_ = size.width / kSide;
  rows_ = size.height / kSide;
  decoded_.assign(index(0, rows_), 0);
}

void BlockBorders::smooth_all(MutableImageView picture, float scale) {
  begin(picture.size);
  std::fill(decoded_.begin(), decoded_.end(), uint8_t{1});
  smooth(picture, scale);
}

void BlockBorders::smooth(MutableImageView picture, float scale) {
  const float most = std::clamp(kGreyLevelsPerScale * scale, 0.0f, static_cast<float>(kMostGreyLevels));
  const auto limit = static_cast<int16_t>(2 * std::lround(most));
  const auto corner = [&picture](int column, int y) {
    return picture.row(y * kSide) + static_cast<size_t>(column) * kBlockBytes;
  };
  for (int y = 0; y < rows_; ++y) {
    const uint8_t* here = decoded_.data() + index(0, y);
    for (int x = 1; x < columns_; ++x) {
      if (here[x - 1] && here[x]) smooth_left(corner(x, y), picture.stride, limit);
    }
  }
  for (int y = 1; y < rows_; ++y) {
    const uint8_t* here = decoded_.data() + index(0, y);
    for (int x = 0; x < columns_; ++x) {
      if (here[x - columns_] && here[x]) smooth_top(corner(x, y), picture.stride, limit);
    }
  }
}

}  // namespace latentdesk
