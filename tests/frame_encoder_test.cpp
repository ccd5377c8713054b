#include "common/codec/frame_encoder.h"

#include <gtest/gtest.h>

#include <random>

namespace latentdesk {
namespace {

class FrameEncoderTest : public testing::Test {
 protected:
  Model model = load_model(std::string(LATENTDESK_MODELS_DIR) + "/latentdesk-lite.safetensors");
  FrameEncoder encoder{make_encoder(model, choose_backend(Device::cpu), 0)};
  std::vector<uint8_t> payload;
};

Image noise(Size size) {
  std::mt19937 random(1);
  Image image(size);
  for (size_t i = 0; i < image.bytes(); ++i) image.data()[i] = static_cast<uint8_t>(random());
  return image;
}

TEST_F(FrameEncoderTest, KeepsTheScaleThatWasAskedFor) {
  const auto result = encoder.encode(noise({64, 64}).view(), model.scale_min, payload);
  EXPECT_EQ(result.scale, model.scale_min);
  EXPECT_EQ(result.shape, (LatentShape{8, 8, model.latent_channels}));
}

TEST_F(FrameEncoderTest, CoarsensUntilTheMessageFits) {
  const auto result = encoder.encode(noise({1920, 1080}).view(), model.scale_min, payload);
  EXPECT_LE(payload.size(), kMaxFramePayload);
  EXPECT_GT(result.scale, model.scale_min);

  Inflater inflater;
  Latents latents;
  unpack({result.shape, result.scale, {1920, 1080}, 0, "m"}, payload, inflater, latents);
  EXPECT_NE(latents.values, std::vector<int8_t>(latents.values.size()));
}

TEST_F(FrameEncoderTest, ComesBackToTheScaleOnceItFits) {
  encoder.encode(noise({1920, 1080}).view(), model.scale_min, payload);
  const Image simple(Size{64, 64});
  float scale = 0;
  for (int i = 0; i < 60; ++i) scale = encoder.encode(simple.view(), model.scale_min, payload).scale;
  EXPECT_EQ(scale, model.scale_min);
}

}  // namespace
}  // namespace latentdesk
