#include "common/stream/exact.h"
#include "common/stream/motion.h"
#include "common/stream/palette.h"
#include "common/stream/residual_coding.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace latentdesk {
namespace {

Image noise(Size size, unsigned seed, uint32_t colours = 0x00ffffff) {
  std::mt19937 random(seed);
  Image image(size);
  for (size_t i = 0; i < size.pixels(); ++i) {
    const uint32_t pixel = 0xff000000u | (static_cast<uint32_t>(random()) & colours);
    std::memcpy(image.data() + i * kBytesPerPixel, &pixel, sizeof pixel);
  }
  return image;
}

/// What a decoder makes of the bytes, for as many tiles as were coded.
ResidualPlanes decoded(ByteView bytes, Size size, BlockMask mask, int tiles) {
  const size_t pixels = pixels_in(size, mask);
  ResidualPlanes planes;
  for (auto& plane : planes) plane.resize(pixels * static_cast<size_t>(tiles), 99);
  RangeDecoder decoder(bytes);
  ResidualCoder coder;
  coder.begin();
  for (size_t at = 0; at < planes[0].size(); at += pixels) {
    coder.decode(decoder, size, mask, {planes[0].data() + at, planes[1].data() + at, planes[2].data() + at});
  }
  decoder.finish();
  return planes;
}

TEST(Residuals, ComeBackFromTheRangeCoder) {
  std::mt19937_64 random(9);
  for (const Size size : {Size{64, 64}, Size{64, 22}, Size{9, 64}}) {
    const BlockMask mask = size.width == 64 ? kWholeTile : random() | 1;
    constexpr int kTiles = 3;
    ResidualPlanes planes;
    std::vector<uint8_t> bytes;
    RangeEncoder encoder(bytes);
    ResidualCoder coder;
    coder.begin();
    for (int tile = 0; tile < kTiles; ++tile) {
      const size_t at = planes[0].size();
      for (auto& plane : planes) {
        // Small ones, all there are, and those at the ends.
        while (plane.size() < at + pixels_in(size, mask))
          plane.push_back(static_cast<uint8_t>(tile == 0   ? random() % 3 - 1
                                               : tile == 1 ? random()
                                                           : random() % 3 + 127));
      }
      coder.encode(encoder, size, mask,
                   {planes[0].data() + at, planes[1].data() + at, planes[2].data() + at});
    }
    encoder.finish();
    EXPECT_TRUE(decoded(bytes, size, mask, kTiles) == planes);
    EXPECT_THROW(decoded(ByteView(bytes).first(bytes.size() - 1), size, mask, kTiles), ProtocolError);
    bytes.push_back(0);
    EXPECT_THROW(decoded(bytes, size, mask, kTiles), ProtocolError);
  }
}

class Pixels : public testing::TestWithParam<int> {};

TEST_P(Pixels, ComeBackWithinTheirError) {
  const int error = GetParam();
  std::mt19937_64 random(5);
  for (const Size size : {Size{64, 64}, Size{64, 22}, Size{9, 64}, Size{1, 1}}) {
    const Image tile = noise(size, 3);
    const BlockMask mask = size.height == 64 ? random() : kWholeTile;
    ResidualPlanes planes;
    Image expected = noise(size, 4), restored = noise(size, 4);
    append_residuals(tile.view(), mask, error, expected.view(), planes);
    ASSERT_EQ(planes[0].size(), pixels_in(size, mask));
    restore_pixels({planes[0].data(), planes[1].data(), planes[2].data()}, mask, error, restored.view());
    EXPECT_EQ(0, std::memcmp(expected.data(), restored.data(), restored.bytes()));
    for_each_run(size, mask, [&](int x, int y, int count) {
      for (int i = x * 4; i < (x + count) * 4; ++i) {
        ASSERT_LE(std::abs(tile.view().row(y)[i] - restored.view().row(y)[i]), error)
            << "at " << i << "," << y;
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Errors, Pixels, testing::Values(0, 1, 2, 5, 17, kMaxPixelError));

TEST(Palette, ToleranceBoundsTheChange) {
  const Image tile = noise({64, 64}, 1, 0x00070707);
  const auto* pixels = reinterpret_cast<const uint32_t*>(tile.data());
  Palette palette;
  ASSERT_TRUE(palette.build({pixels, 4096}, 3));
  for (size_t i = 0; i < 4096; ++i) {
    const uint32_t shown = palette.colours()[palette.indices()[i]];
    for (const int shift : {0, 8, 16}) {
      EXPECT_LE(std::abs(static_cast<int>(shown >> shift & 255) - static_cast<int>(pixels[i] >> shift & 255)),
                3);
    }
  }
  EXPECT_FALSE(palette.is_exact());
  EXPECT_FALSE(palette.build({pixels, 4096}, 0));  // 512 colours are too many
}

TEST(Palette, IndicesComeBack) {
  for (const size_t colours : {1, 2, 3, 4, 5, 16, 17, 256}) {
    std::vector<uint8_t> indices(77), packed;
    for (size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<uint8_t>(i * 7 % colours);
    pack_indices(indices, colours, packed);
    ASSERT_EQ(packed.size(), packed_index_bytes(indices.size(), colours));
    for (size_t i = 0; i < indices.size(); ++i) {
      EXPECT_EQ(packed_index(packed.data(), index_bits(colours), i), indices[i]);
    }
  }
}

TEST(Motion, FindsWhatHasMovedByAnyDistance) {
  constexpr Size kSize{400, 300};
  const TileGrid grid(kSize);
  for (const auto& [dx, dy] : {std::pair{0, 17}, {-23, 5}, {64, 64}, {1, 0}}) {
    const Image before = noise(kSize, 9, 0x00101010);
    Image after = before;
    const Rect window{120, 90, 160, 120};
    for (int y = 0; y < window.height; ++y) {
      std::memcpy(after.view().row(window.y + dy + y) + (window.x + dx) * 4,
                  before.view().row(window.y + y) + window.x * 4, static_cast<size_t>(window.width) * 4);
    }
    std::vector<BlockMask> changed(grid.tiles());
    for (size_t tile = 0; tile < grid.tiles(); ++tile) changed[tile] = grid.blocks(tile);
    MotionSearch search;
    int moved = 0;
    for (const Movement& movement : search.find(before.view(), after.view(), grid, changed)) {
      if (movement.dx == 0 && movement.dy == 0) continue;
      EXPECT_EQ(movement.dx, -dx);
      EXPECT_EQ(movement.dy, -dy);
      moved += movement.to.width * movement.to.height;
    }
    EXPECT_GE(moved, (window.width - 16) * (window.height - 16)) << dx << "," << dy;
  }
}

}  // namespace
}  // namespace latentdesk
