#include "common/codec/codec.h"
#include "common/stream/content.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

// What kind of content a tile is sent as.

namespace latentdesk {
namespace {

using Kind = Operation::Kind;

template <typename Shade>
Image tile(const Shade& shade) {
  Image image({kTileSide, kTileSide});
  for (int y = 0; y < kTileSide; ++y) {
    for (int x = 0; x < kTileSide; ++x) {
      const uint32_t pixel = 0xff000000u | shade(x, y);
      std::memcpy(image.view().row(y) + x * kBytesPerPixel, &pixel, sizeof pixel);
    }
  }
  return image;
}

uint32_t mixed(uint32_t paper, uint32_t ink, double part) {
  uint32_t colour = 0;
  for (const int shift : {0, 8, 16}) {
    const double a = paper >> shift & 255, b = ink >> shift & 255;
    colour |= static_cast<uint32_t>(std::lround(a + (b - a) * part)) << shift;
  }
  return colour;
}

/// Strokes with soft edges, in lines, 7 pixels a letter.
Image text(uint32_t paper, uint32_t ink, unsigned seed) {
  std::mt19937 random(seed);
  std::array<double, 64 * 64> cover{};
  for (int line = 2; line + 10 < kTileSide; line += 15) {
    for (int letter = 1; letter + 7 < kTileSide; letter += 8) {
      for (int stroke = 0; stroke < 3; ++stroke) {
        const bool upright = random() % 2 == 0;
        const int at = static_cast<int>(random() % (upright ? 5 : 9));
        const double soft = static_cast<double>(random() % 16) / 16;
        for (int i = 0; i < (upright ? 9 : 5); ++i) {
          const int x = letter + (upright ? at : i), y = line + (upright ? i : at);
          cover[static_cast<size_t>(y * 64 + x)] = 1;
          double& side = cover[static_cast<size_t>(upright ? y * 64 + x + 1 : (y + 1) * 64 + x)];
          side = std::max(side, soft);
        }
      }
    }
  }
  return tile([&](int x, int y) { return mixed(paper, ink, cover[static_cast<size_t>(y * 64 + x)]); });
}

/// A window's title over its menu: a slope from row to row, and plain below.
Image title() {
  return tile(
      [](int, int y) { return y < 21 ? 0x9ab8e8u - 0x010101u * static_cast<uint32_t>(y) : 0xf6f5f4u; });
}

Image foliage() {
  std::mt19937 random(2);
  return tile([&](int x, int y) {
    const double shade = 90 + 60 * std::sin(x / 7.0 + y / 11.0) + 30 * std::sin(y / 3.0);
    const auto grain = static_cast<double>(random() % 9);
    return mixed(0x102008, 0xb0e070, std::clamp((shade + grain) / 190, 0.0, 1.0));
  });
}

class ContentChoice : public testing::TestWithParam<int> {
 protected:
  /// The one operation for a picture of one tile.
  Operation coded(const Image& image) {
    operations_.clear();
    content_.clear();
    const TilePart whole{0, kWholeTile};
    encoder_.encode(image.view(), TileGrid(image.size()), {&whole, 1}, coding_quality(model_, GetParam()),
                    operations_, content_);
    return operations_.at(0);
  }

  const Model model_ = load_model(std::string(LATENTDESK_MODELS_DIR) + "/latentdesk-lite.safetensors");
  const Backend backend_ = choose_backend(Device::cpu);
  ContentEncoder encoder_{make_encoder(model_, backend_, 1), make_decoder(model_, backend_, 1),
                          model_.latent_channels};
  std::vector<Operation> operations_;
  UpdateParts content_;
};

TEST_P(ContentChoice, TextIsAPaletteAtOnce) {
  for (unsigned seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(coded(text(0xffffff, 0x202020, seed)).kind, Kind::palette) << "black on white, " << seed;
    EXPECT_EQ(coded(text(0x1e1e2e, 0xc0d0f0, seed)).kind, Kind::palette) << "light on dark, " << seed;
  }
}

TEST_P(ContentChoice, InterfaceIsAPaletteAtOnce) { EXPECT_EQ(coded(title()).kind, Kind::palette); }

TEST_P(ContentChoice, LargeAreasKeepTheirColour) {
  // Two that the tolerance would make one, and a mark.
  const Image image = tile([](int x, int y) {
    return y == 40 && x < 9 ? 0u : x < 40 ? 0xffffffu : 0xf6f5f4u;
  });
  coded(image);
  ASSERT_GE(content_.colours.size(), 6u);
  EXPECT_EQ(content_.colours[0], 0xff);
  EXPECT_EQ(content_.colours[3], 0xf4);
}

TEST_P(ContentChoice, PhotographsAreLatents) { EXPECT_EQ(coded(foliage()).kind, Kind::latents); }

INSTANTIATE_TEST_SUITE_P(Qualities, ContentChoice, testing::Values(20, 40, 55, 59, 60, 75, 88));

}  // namespace
}  // namespace latentdesk
