#include "common/codec/restoration.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace latentdesk {
namespace {

using Kind = Restoration::Kind;

/// `left` in the first eight columns, `right` in the next ones.
Image halves(Size size, uint8_t left, uint8_t right) {
  Image image(size);
  for (int y = 0; y < size.height; ++y) {
    uint8_t* row = image.view().row(y);
    std::fill_n(row, 8 * kBytesPerPixel, left);
    std::fill(row + 8 * kBytesPerPixel, row + static_cast<size_t>(size.width) * kBytesPerPixel, right);
  }
  return image;
}

std::vector<int> first_row(const Image& image) {
  std::vector<int> blues;
  for (int x = 0; x < image.size().width; ++x) blues.push_back(image.data()[x * kBytesPerPixel]);
  return blues;
}

std::vector<uint8_t> bytes_of(const Image& image) { return {image.data(), image.data() + image.bytes()}; }

Image restored(Image image, float scale, Kind kind = Kind::natural) {
  Restoration restoration;
  restoration.begin(image.size());
  for (int y = 0; y * 8 < image.size().height; ++y) {
    for (int x = 0; x * 8 < image.size().width; ++x) restoration.mark(x, y, kind);
  }
  restoration.restore(image.view(), scale);
  return image;
}

TEST(Restoration, ASmallStepBetweenBlocksIsSpread) {
  const std::vector<int> row = first_row(restored(halves({16, 8}, 100, 104), 2));
  for (size_t x = 1; x < row.size(); ++x) {
    EXPECT_GE(row[x], row[x - 1]) << x;
    EXPECT_LE(row[x] - row[x - 1], 2) << x;
  }
  EXPECT_EQ(row.front(), 100);
  EXPECT_EQ(row.back(), 104);
}

TEST(Restoration, AStepOfTheContentStays) {
  const Image sharp = halves({16, 8}, 100, 160);
  EXPECT_EQ(bytes_of(restored(sharp, 2)), bytes_of(sharp));
  EXPECT_EQ(bytes_of(restored(sharp, 2, Kind::drawn)), bytes_of(sharp));
}

TEST(Restoration, ASlopeThatGoesOnStays) {
  Image slope({16, 8});
  for (size_t i = 0; i < slope.bytes(); ++i)
    slope.data()[i] = static_cast<uint8_t>(2 * (i / kBytesPerPixel % 16));
  const std::vector<int> after = first_row(restored(slope, 3)), before = first_row(slope);
  EXPECT_TRUE(std::equal(after.begin() + 2, after.end() - 2, before.begin() + 2));
}

/// Noise on something flat is what a coarse quantiser leaves; more of it is taken for that where all is
/// drawn.
TEST(Restoration, NoiseIsTakenOffWhatIsFlat) {
  const auto noisy = [](uint8_t height) {
    Image image = halves({16, 16}, 100, 100);
    for (size_t i = 0; i < image.bytes(); ++i) image.data()[i] += static_cast<uint8_t>(i * 7919 % 3 * height);
    return image;
  };
  const auto range = [](const Image& image) {
    const auto [least, most] = std::minmax_element(image.data(), image.data() + image.bytes());
    return *most - *least;
  };
  EXPECT_LE(range(restored(noisy(2), 1)), 2);
  EXPECT_GE(range(restored(noisy(6), 1)), 12);
  EXPECT_LE(range(restored(noisy(6), 1, Kind::drawn)), 8);
}

TEST(Restoration, OnlyMarkedBlocksChange) {
  const Image blocky = halves({20, 12}, 100, 104);
  Image image = blocky;
  Restoration restoration;
  restoration.begin(image.size());
  restoration.mark(7, 7, Kind::natural);  // beyond the picture
  restoration.restore(image.view(), 2);
  EXPECT_EQ(bytes_of(image), bytes_of(blocky));
  restoration.mark(1, 0, Kind::natural);
  restoration.restore(image.view(), 2);
  const std::vector<int> row = first_row(image), before = first_row(blocky);
  EXPECT_TRUE(std::equal(row.begin(), row.begin() + 8, before.begin()));
  EXPECT_LT(row[8], before[8]);
  EXPECT_EQ(row[16], before[16]);
  EXPECT_EQ(image.view().row(8)[8 * kBytesPerPixel], 104);
}

TEST(Restoration, ExtremeScalesAndSmallPictures) {
  const Image image = halves({16, 16}, 0, 255);
  EXPECT_EQ(bytes_of(restored(image, 1e-30f)), bytes_of(image));
  for (const Kind kind : {Kind::natural, Kind::drawn}) restored(image, 1e6f, kind);
  for (const Size size : {Size{1, 1}, Size{7, 3}, Size{8, 1}, Size{3, 40}}) {
    Image small(size);
    std::fill_n(small.data(), small.bytes(), uint8_t{9});
    EXPECT_EQ(bytes_of(restored(small, 1)), bytes_of(small));
  }
}

// The same pictures and the same sums are in tests/web/restoration.test.ts, the first in
// models/test_codec.py.
Image blocky() {
  Image image({70, 44});
  uint32_t state = 1;
  for (size_t i = 0; i < image.bytes(); ++i) {
    state = state * 1664525 + 1013904223;
    const auto x = static_cast<uint32_t>(i / kBytesPerPixel % 70 / 8), y = static_cast<uint32_t>(i / 280 / 8);
    const uint32_t grey = i % 4 == 3 ? 255 : (x * 37 + y * 11) % 64 * 3 + (state >> 24) % 12;
    image.data()[i] = static_cast<uint8_t>(grey);
  }
  return image;
}

uint32_t fnv1a(const Image& image) {
  uint32_t sum = 2166136261u;
  for (const uint8_t byte : bytes_of(image)) sum = (sum ^ byte) * 16777619u;
  return sum;
}

TEST(Restoration, EqualsTheOtherImplementations) {
  Image image = blocky();
  Restoration restoration;
  restoration.begin(image.size());
  for (int i = 0; i < 54; ++i) restoration.mark(i % 9, i / 9, i % 5 < 2 ? Kind::drawn : Kind::natural);
  restoration.restore(image.view(), 2.5f);
  EXPECT_EQ(fnv1a(image), 2439776630u);
}

TEST(Restoration, EqualsTheOtherImplementationsInAPart) {
  Image image = blocky();
  Restoration restoration;
  restoration.begin(image.size());
  restoration.mark(3, 2, Kind::drawn);
  restoration.mark(3, 3, Kind::drawn);
  restoration.restore(image.view(), 2.5f);
  EXPECT_EQ(fnv1a(image), 2442949u);
}

}  // namespace
}  // namespace latentdesk
