#include "common/codec/deblocking.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace latentdesk {
namespace {

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

TEST(Deblocking, ASmallStepIsSpreadOverFourPixelsOnEachSide) {
  Image image = halves({16, 8}, 100, 110);
  BlockBorders().smooth_all(image.view(), 2);  // up to 24 grey levels
  // The excess is 3 * 10 / 2, beyond the top of the ramp at 12: 48 - 30 = 18 halves.
  const std::vector<int> expected = {100, 100, 100, 100, 100, 101, 102, 104,
                                     106, 108, 109, 110, 110, 110, 110, 110};
  EXPECT_EQ(first_row(image), expected);
}

TEST(Deblocking, AStepOfTheContentStays) {
  const Image sharp = halves({16, 8}, 100, 140);
  Image image = sharp;
  BlockBorders().smooth_all(image.view(), 2);
  EXPECT_EQ(bytes_of(image), bytes_of(sharp));
}

TEST(Deblocking, ASlopeThatGoesOnStays) {
  Image slope({16, 8});
  for (size_t i = 0; i < slope.bytes(); ++i)
    slope.data()[i] = static_cast<uint8_t>(2 * (i / kBytesPerPixel % 16));
  Image image = slope;
  BlockBorders().smooth_all(image.view(), 3);
  EXPECT_EQ(bytes_of(image), bytes_of(slope));
}

TEST(Deblocking, OnlyBetweenMarkedBlocksThatAreWhole) {
  const Image blocky = halves({20, 12}, 100, 104);
  Image image = blocky;
  BlockBorders borders;
  borders.begin(image.size());
  borders.mark(0, 0);
  borders.mark(2, 0);  // cut by the picture's right border
  borders.mark(0, 1);  // and by the lower one
  borders.mark(1, 1);
  borders.mark(7, 7);  // beyond it
  borders.smooth(image.view(), 2);
  EXPECT_EQ(bytes_of(image), bytes_of(blocky));
  borders.mark(1, 0);
  borders.smooth(image.view(), 2);
  EXPECT_NE(first_row(image), first_row(blocky));
  EXPECT_EQ(image.view().row(8)[8 * kBytesPerPixel], 104);
}

TEST(Deblocking, ExtremeScalesAndPicturesWithoutABlock) {
  Image image = halves({16, 16}, 0, 255);
  const std::vector<uint8_t> before = bytes_of(image);
  BlockBorders borders;
  borders.smooth_all(image.view(), 1e-30f);
  EXPECT_EQ(bytes_of(image), before);
  borders.smooth_all(image.view(), 1e6f);
  Image tiny({7, 3});
  borders.smooth_all(tiny.view(), 1);
}

/// The same picture and the same sum are in tests/web/borders.test.ts and models/test_codec.py.
TEST(Deblocking, EqualsTheOtherImplementations) {
  Image image({72, 40});
  uint32_t state = 1;
  for (size_t i = 0; i < image.bytes(); ++i) {
    state = state * 1664525 + 1013904223;
    const auto x = static_cast<uint32_t>(i / kBytesPerPixel % 72 / 8), y = static_cast<uint32_t>(i / 288 / 8);
    const uint32_t grey = i % 4 == 3 ? 255 : (x * 37 + y * 11) % 64 * 3 + (state >> 24) % 12;
    image.data()[i] = static_cast<uint8_t>(grey);
  }
  BlockBorders().smooth_all(image.view(), 2.5f);
  uint32_t sum = 2166136261u;  // FNV-1a
  for (const uint8_t byte : bytes_of(image)) sum = (sum ^ byte) * 16777619u;
  EXPECT_EQ(sum, 4242032587u);
}

}  // namespace
}  // namespace latentdesk
