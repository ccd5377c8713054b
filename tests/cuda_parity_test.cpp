#include "common/codec/codec.h"
#include "common/fidelity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

// The CUDA backend against the CPU backend, on pictures and latents that are new at each run. Skipped where
// there is no GPU.

namespace latentdesk {
namespace {

constexpr double kAllowedRoundingFlips = 0.005;
constexpr double kLeastAgreement = 48;  // dB

std::string model_path() {
  const char* named = std::getenv("LATENTDESK_MODEL");
  return named ? std::string(named) : LATENTDESK_MODELS_DIR "/latentdesk-lite.safetensors";
}

/// Encoder and decoder of one backend.
struct Ends {
  Ends(const Model& model, const Backend& backend)
      : encoder(make_encoder(model, backend, 0)), decoder(make_decoder(model, backend, 0)) {}
  std::unique_ptr<Encoder> encoder;
  std::unique_ptr<Decoder> decoder;
};

class CudaParity : public testing::Test {
 protected:
  void SetUp() override {
    try {
      backend_ = choose_backend(Device::cuda);
    } catch (const std::runtime_error& error) {
      GTEST_SKIP() << error.what();
    }
    RecordProperty("seed", std::to_string(seed_));
    cuda_ = std::make_unique<Ends>(model_, backend_);
    cpu_ = std::make_unique<Ends>(model_, choose_backend(Device::cpu));
  }

  Image noise(Size size) {
    Image image(size);
    for (size_t i = 0; i < image.bytes(); ++i) image.data()[i] = static_cast<uint8_t>(random_());
    return image;
  }

  /// Windows, bars and lines of text-like dots on a gradient.
  Image desktop(Size size) {
    Image image(size);
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        const uint8_t pixel[4] = {static_cast<uint8_t>(x / 8), static_cast<uint8_t>(y / 8), 90, 0};
        std::memcpy(image.view().row(y) + x * 4, pixel, 4);
      }
    }
    for (int window = 0; window < 12; ++window) draw_window(image.view());
    return image;
  }

  Latents random_latents(LatentShape shape) {
    Latents latents;
    latents.resize(shape);
    latents.scale = model_.scale_for_quality(static_cast<int>(random_() % 100) + 1);
    std::geometric_distribution<int> magnitude(0.5);
    for (int8_t& value : latents.values) {
      value = static_cast<int8_t>(std::min(magnitude(random_), 127) * (random_() % 2 ? 1 : -1));
    }
    return latents;
  }

  uint32_t seed_ = std::random_device()();
  std::mt19937 random_{seed_};
  Model model_ = load_model(model_path());
  Backend backend_;
  std::unique_ptr<Ends> cuda_;
  std::unique_ptr<Ends> cpu_;

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }

  void draw_window(MutableImageView image) {
    const int left = below(image.size.width), top = below(image.size.height);
    const int right = std::min(left + 40 + below(300), image.size.width);
    const int bottom = std::min(top + 30 + below(200), image.size.height);
    const uint32_t ground = random_(), ink = random_();
    for (int y = top; y < bottom; ++y) {
      for (int x = left; x < right; ++x) {
        const bool dot = (y - top) % 14 < 9 && random_() % 4 == 0;
        std::memcpy(image.row(y) + x * 4, dot ? &ink : &ground, 4);
      }
    }
  }
};

void expect_same(const Latents& a, const Latents& b) {
  ASSERT_EQ(a.shape, b.shape);
  size_t flips = 0;
  for (size_t i = 0; i < a.values.size(); ++i) {
    const int difference = std::abs(a.values[i] - b.values[i]);
    ASSERT_LE(difference, 1) << "at " << i;
    flips += difference != 0;
  }
  EXPECT_LE(static_cast<double>(flips), kAllowedRoundingFlips * static_cast<double>(a.values.size()));
}

Latents encoded(Encoder& encoder, const Image& image, float scale) {
  Latents latents;
  encoder.encode(image.view(), scale, latents);
  return latents;
}

Image decoded(Decoder& decoder, const Latents& latents, Size size) {
  Image image(size);
  std::fill_n(image.data(), image.bytes(), uint8_t{0x5a});  // so that what is not written shows
  decoder.decode(latents, image.view());
  return image;
}

double agreement(const Image& a, const Image& b) {
  Fidelity fidelity;
  fidelity.add(a.view(), b.view());
  return fidelity.psnr();
}

TEST_F(CudaParity, PicturesAtEveryQuality) {
  for (const Size size : {Size{640, 360}, Size{65, 63}, Size{203, 77}}) {
    for (const Image& image : {noise(size), desktop(size)}) {
      for (const int quality : {1, 55, 100}) {
        const float scale = model_.scale_for_quality(quality);
        const Latents expected = encoded(*cpu_->encoder, image, scale);
        expect_same(expected, encoded(*cuda_->encoder, image, scale));
        EXPECT_GE(
            agreement(decoded(*cpu_->decoder, expected, size), decoded(*cuda_->decoder, expected, size)),
            kLeastAgreement)
            << size.width << 'x' << size.height << " quality " << quality << " seed " << seed_;
      }
    }
  }
}

TEST_F(CudaParity, RandomLatents) {
  const Size size{333, 190};
  const Latents latents = random_latents(latent_shape(size, model_.latent_channels));
  EXPECT_GE(agreement(decoded(*cpu_->decoder, latents, size), decoded(*cuda_->decoder, latents, size)),
            kLeastAgreement)
      << "seed " << seed_;
}

std::vector<ImageView> views_of(const std::vector<Image>& images) {
  std::vector<ImageView> views;
  for (const Image& image : images) views.push_back(image.view());
  return views;
}

TEST_F(CudaParity, TilesInEveryBatch) {
  for (const size_t count : {1u, 3u, 4u, 11u, 16u, 50u, 70u, 200u}) {
    std::vector<Image> tiles;
    for (size_t i = 0; i < count; ++i) tiles.push_back(i % 2 ? noise({64, 64}) : desktop({64, 64}));
    Latents expected, latents;
    cpu_->encoder->encode_tiles(views_of(tiles), 2.0f, expected);
    cuda_->encoder->encode_tiles(views_of(tiles), 2.0f, latents);
    expect_same(expected, latents);

    std::vector<Image> shown(2 * count, Image({64, 64}));
    std::vector<MutableImageView> on_cpu, on_cuda;
    for (size_t i = 0; i < count; ++i) on_cpu.push_back(shown[i].view());
    for (size_t i = count; i < 2 * count; ++i) on_cuda.push_back(shown[i].view());
    cpu_->decoder->decode_tiles(expected, on_cpu);
    cuda_->decoder->decode_tiles(expected, on_cuda);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_GE(agreement(shown[i], shown[count + i]), kLeastAgreement) << "tile " << i << " seed " << seed_;
    }
  }
}

TEST_F(CudaParity, PinnedMemoryAndPreparedSizesGiveTheSame) {
  const Size size{500, 300};
  Image image = desktop(size);
  const Latents plain = encoded(*cuda_->encoder, image, 2.0f);
  cuda_->encoder->prepare(size);
  cuda_->decoder->prepare(size);
  const auto pinned = pin_memory(backend_, {image.data(), image.bytes()});
  ASSERT_TRUE(pinned);
  EXPECT_EQ(plain.values, encoded(*cuda_->encoder, image, 2.0f).values);
  EXPECT_GT(cuda_->encoder->device_times().total(), 0);
  EXPECT_FALSE(cuda_->encoder->plan().empty());

  Image shown(size);
  const Image expected = decoded(*cuda_->decoder, plain, size);
  const auto pinned_too = pin_memory(backend_, {shown.data(), shown.bytes()});
  ASSERT_TRUE(pinned_too);
  cuda_->decoder->decode(plain, shown.view());
  EXPECT_EQ(std::memcmp(expected.data(), shown.data(), shown.bytes()), 0);
}

}  // namespace
}  // namespace latentdesk
