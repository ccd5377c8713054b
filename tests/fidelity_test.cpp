#include "common/fidelity.h"

#include <gtest/gtest.h>

#include <cmath>

namespace latentdesk {
namespace {

Image filled(Size size, uint8_t value) {
  Image image(size);
  std::fill_n(image.data(), image.bytes(), value);
  return image;
}

TEST(Fidelity, EqualPicturesAre99AndOne) {
  const Image image = filled({64, 48}, 100);
  Fidelity fidelity;
  fidelity.add(image.view(), image.view());
  EXPECT_EQ(fidelity.psnr(), 99);
  EXPECT_DOUBLE_EQ(fidelity.ssim(), 1);
}

TEST(Fidelity, PsnrPoolsTheErrorOfAllFramesAndLeavesOutTheFourthByte) {
  const Image reference = filled({16, 16}, 100);
  Image off_by_two = filled({16, 16}, 102);
  for (size_t i = 3; i < off_by_two.bytes(); i += 4) off_by_two.data()[i] = 255;
  Fidelity fidelity;
  fidelity.add(reference.view(), off_by_two.view());
  fidelity.add(reference.view(), reference.view());
  EXPECT_NEAR(fidelity.psnr(), 10 * std::log10(255.0 * 255.0 / 2.0), 1e-9);  // mean of 4 and 0
}

TEST(Fidelity, SsimOfNoiseIsLow) {
  const Image flat = filled({64, 64}, 128);
  Image noise(Size{64, 64});
  for (size_t i = 0; i < noise.bytes(); ++i) noise.data()[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
  Fidelity fidelity;
  fidelity.add(flat.view(), noise.view());
  EXPECT_LT(fidelity.ssim(), 0.1);
}

}  // namespace
}  // namespace latentdesk
