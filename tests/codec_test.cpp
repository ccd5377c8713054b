#include "common/codec/codec.h"

#include "common/fidelity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

// Both ends of each backend that can be had here against PyTorch's golden tensors, and against themselves at
// awkward sizes.

namespace latentdesk {
namespace {

/// Where the tests were built, unless they were carried elsewhere.
std::string models_folder() {
  const char* carried = std::getenv("LATENTDESK_MODELS_DIR");
  return carried ? carried : LATENTDESK_MODELS_DIR;
}

const std::string kModels = models_folder();

/// How far a device may be from PyTorch's float32.
struct Tolerance {
  double rounding_flips;  ///< share of the latents that may be one step off: those between two steps
  double agreement;       ///< of decoded pictures, dB
};

Tolerance tolerance(Device device) {
  // float32 sums in another order, and fp16 tensors.
  return device == Device::cpu ? Tolerance{0.001, 60} : Tolerance{0.005, 48};
}

/// A way of computing: the device, and the precision of its arithmetic.
struct Way {
  Device device;
  const char* precision;
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.precision; }

/// As backends see it when networks are made.
void set_precision(const char* precision) { setenv("LATENTDESK_PRECISION", precision, 1); }

/// On processors without such instructions, sums of 8-bit products may saturate.
bool multiplies_bytes(const Backend& backend) {
  return backend.name == "cpu" && (backend.description.find("VNNI") != std::string::npos ||
                                   backend.description.find("bf16") != std::string::npos);
}

class Codec : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    try {
      backend_ = choose_backend(GetParam().device);
    } catch (const std::runtime_error& error) {
      GTEST_SKIP() << error.what();
    }
    if (in_8_bits() && !multiplies_bytes(backend_)) GTEST_SKIP() << "no VNNI here";
    set_precision(GetParam().precision);
    encoder_ = make_encoder(model_, backend_, 0);
    decoder_ = make_decoder(model_, backend_, 0);
  }

  void TearDown() override { unsetenv("LATENTDESK_PRECISION"); }

  static bool in_8_bits() { return std::string(GetParam().precision) == "int8"; }

  const Latents& encode(const Image& image, float scale) {
    encoder_->encode(image.view(), scale, latents_);
    return latents_;
  }

  Image decode(const Latents& latents, Size size) {
    Image image(size);
    std::fill_n(image.data(), image.bytes(), uint8_t{0x5a});  // so that what is not written shows
    decoder_->decode(latents, image.view());
    return image;
  }

  Model model_ = load_model(kModels + "/latentdesk-lite.safetensors");
  Backend backend_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Decoder> decoder_;
  Latents latents_;
};

INSTANTIATE_TEST_SUITE_P(Backends, Codec,
                         testing::Values(Way{Device::cpu, "float32"}, Way{Device::cpu, "int8"},
                                         Way{Device::cuda, "float32"}),
                         [](const auto& test) {
                           const std::string device = test.param.device == Device::cpu ? "cpu" : "cuda";
                           return device + "_" + test.param.precision;
                         });

/// One of the pictures that PyTorch ran through the networks.
struct GoldenCase {
  Image image;
  Image decoded;
  Latents quantised;
};

Image from_rgb(const TensorView& rgb) {
  Image image(Size{static_cast<int>(rgb.shape[1]), static_cast<int>(rgb.shape[0])});
  for (size_t i = 0; i < image.size().pixels(); ++i) {
    for (size_t c = 0; c < 3; ++c) image.data()[i * 4 + 2 - c] = rgb.bytes[i * 3 + c];
    image.data()[i * 4 + 3] = 255;
  }
  return image;
}

Image from_planar_unit(const std::vector<float>& planes, Size size) {
  Image image(size);
  for (size_t i = 0; i < size.pixels(); ++i) {
    for (size_t c = 0; c < 3; ++c) {
      const float value = std::clamp(planes[c * size.pixels() + i], 0.0f, 1.0f);
      image.data()[i * 4 + 2 - c] = static_cast<uint8_t>(std::lround(value * 255));
    }
    image.data()[i * 4 + 3] = 255;
  }
  return image;
}

GoldenCase golden_case(const ModelFile& file, int index) {
  const std::string prefix = std::to_string(index) + ".";
  GoldenCase result;
  result.image = from_rgb(file.tensor(prefix + "image"));
  result.decoded = from_planar_unit(file.floats(prefix + "decoded"), result.image.size());
  const TensorView& quantised = file.tensor(prefix + "quantised");
  result.quantised.resize(latent_shape(result.image.size(), static_cast<int>(quantised.shape[0])));
  result.quantised.scale = file.floats(prefix + "scale").front();
  std::memcpy(result.quantised.values.data(), quantised.bytes.data(), quantised.bytes.size());
  return result;
}

std::vector<GoldenCase> golden_cases() {
  const ModelFile file = ModelFile::read(kModels + "/golden/lite.safetensors");
  std::vector<GoldenCase> cases;
  for (int i = 0; i < 4; ++i) cases.push_back(golden_case(file, i));
  return cases;
}

double agreement(const Image& a, const Image& b) {
  Fidelity fidelity;
  fidelity.add(a.view(), b.view());
  return fidelity.psnr();
}

TEST_P(Codec, EncoderAgreesWithPyTorch) {
  if (in_8_bits()) GTEST_SKIP() << "PyTorch computed in float32";
  for (const GoldenCase& golden : golden_cases()) {
    const Latents& latents = encode(golden.image, golden.quantised.scale);
    ASSERT_EQ(latents.shape, golden.quantised.shape);
    size_t flips = 0;
    for (size_t i = 0; i < latents.values.size(); ++i) {
      const int difference = std::abs(latents.values[i] - golden.quantised.values[i]);
      ASSERT_LE(difference, 1) << "at " << i;
      flips += difference > 0;
    }
    EXPECT_LE(static_cast<double>(flips),
              tolerance(GetParam().device).rounding_flips * static_cast<double>(latents.values.size()));
  }
}

TEST_P(Codec, DecoderAgreesWithPyTorch) {
  if (in_8_bits()) GTEST_SKIP() << "PyTorch computed in float32";
  for (const GoldenCase& golden : golden_cases()) {
    EXPECT_GE(agreement(decode(golden.quantised, golden.image.size()), golden.decoded),
              tolerance(GetParam().device).agreement);
  }
}

/// What PyTorch's picture is to the original, and ours from the same precision throughout.
TEST_P(Codec, RoundTripIsAsGoodAsPyTorchs) {
  const double allowed_loss = in_8_bits() ? 0.35 : 0.02;  // dB
  for (const GoldenCase& golden : golden_cases()) {
    const Latents latents = encode(golden.image, golden.quantised.scale);
    const double ours = agreement(decode(latents, golden.image.size()), golden.image);
    EXPECT_GE(ours, agreement(golden.decoded, golden.image) - allowed_loss)
        << golden.image.size().width << 'x' << golden.image.size().height;
  }
}

TEST(Precision, IsComputedInEightBitsWhenAsked) {
  const Backend backend = choose_backend(Device::cpu);
  if (!multiplies_bytes(backend)) GTEST_SKIP() << "no VNNI here";
  const Model model = load_model(kModels + "/latentdesk-lite.safetensors");
  const GoldenCase golden = golden_cases()[0];
  std::vector<Image> pictures;
  for (const char* precision : {"float32", "int8"}) {
    set_precision(precision);
    make_decoder(model, backend, 0)
        ->decode(golden.quantised, pictures.emplace_back(golden.image.size()).view());
  }
  unsetenv("LATENTDESK_PRECISION");
  EXPECT_LT(agreement(pictures[0], pictures[1]), 80);  // else one of them was ignored
  EXPECT_GT(agreement(pictures[0], pictures[1]), 35);
}

TEST(Precision, UnknownOneIsRefused) {
  set_precision("int4");
  EXPECT_THROW(
      make_encoder(load_model(kModels + "/latentdesk-lite.safetensors"), choose_backend(Device::cpu), 0),
      std::runtime_error);
  unsetenv("LATENTDESK_PRECISION");
}

Image smooth(Size size, uint32_t seed) {
  std::mt19937 random(seed);
  const double fx = 0.02 + random() % 100 * 0.0005, fy = 0.03 + random() % 100 * 0.0005;
  Image image(size);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      uint8_t* pixel = image.view().row(y) + x * 4;
      pixel[0] = static_cast<uint8_t>(128 + 100 * std::sin(fx * x));
      pixel[1] = static_cast<uint8_t>(128 + 100 * std::sin(fy * y));
      pixel[2] = static_cast<uint8_t>(128 + 60 * std::sin(fx * x + fy * y));
      pixel[3] = 255;
    }
  }
  return image;
}

TEST_P(Codec, AnySizeComesBackWhole) {
  for (const Size size :
       {Size{1, 1}, Size{7, 9}, Size{8, 8}, Size{64, 64}, Size{65, 63}, Size{321, 17}, Size{1366, 768}}) {
    const Image image = smooth(size, 1);
    EXPECT_GE(agreement(decode(encode(image, model_.scale_min), size), image), 30)
        << size.width << 'x' << size.height;
  }
}

TEST_P(Codec, MoreQualityIsNearerToTheOriginal) {
  const Image image = golden_cases()[1].image;
  double previous = 0;
  for (const int quality : {1, 25, 50, 75, 100}) {
    const double now =
        agreement(decode(encode(image, model_.scale_for_quality(quality)), image.size()), image);
    EXPECT_GT(now, previous) << "quality " << quality;
    previous = now;
  }
}

TEST_P(Codec, ChangingSizesLeaveNoTrace) {
  const Image image = smooth({200, 120}, 2);
  const auto first = encode(image, 0.1f).values;
  encode(smooth({64, 64}, 3), 0.1f);
  EXPECT_EQ(encode(image, 0.1f).values, first);
}

/// Pictures are computed in strips, whose number depends on that of the threads.
TEST_P(Codec, NumberOfThreadsLeavesNoTrace) {
  const Image image = smooth({72, 500}, 4);
  const Latents expected = encode(image, 0.2f);
  const Image picture = decode(expected, image.size());
  for (const int threads : {1, 3, 40}) {
    encoder_ = make_encoder(model_, backend_, threads);
    decoder_ = make_decoder(model_, backend_, threads);
    EXPECT_EQ(encode(image, 0.2f).values, expected.values) << threads << " threads";
    const Image again = decode(expected, image.size());
    EXPECT_EQ(std::memcmp(again.data(), picture.data(), picture.bytes()), 0) << threads << " threads";
  }
}

TEST_P(Codec, ExtremeLatentsDecodeToSomePicture) {
  Latents latents;
  latents.resize(latent_shape({64, 64}, model_.latent_channels));
  for (const float scale : {1e-38f, 1.0f, 1e6f}) {
    latents.scale = scale;
    for (size_t i = 0; i < latents.values.size(); ++i)
      latents.values[i] = static_cast<int8_t>(i % 2 ? 127 : -128);
    EXPECT_NO_THROW(decode(latents, {64, 64}));
  }
}

TEST_P(Codec, MismatchedShapeIsRefused) {
  Latents latents;
  latents.resize({8, 8, model_.latent_channels});
  Image image(Size{65, 64});
  EXPECT_THROW(decoder_->decode(latents, image.view()), std::invalid_argument);
}

TEST(ChooseBackend, AbsentDeviceIsAnErrorAndAutomaticSaysWhy) {
  std::string complaint;
  try {
    choose_backend(Device::cuda);
    GTEST_SKIP() << "there is a usable GPU here";
  } catch (const std::runtime_error& error) {
    complaint = error.what();
  }
  EXPECT_NE(complaint.find("--device cuda"), std::string::npos) << complaint;
  const Backend backend = choose_backend(Device::automatic);
  EXPECT_EQ(backend.name, "cpu");
  EXPECT_NE(backend.description.find("not on a GPU"), std::string::npos) << backend.description;
}

/// Tiles of several sizes, so many that they go through in several batches.
std::vector<Image> some_tiles() {
  std::vector<Image> tiles;
  std::mt19937 random(7);
  for (int i = 0; i < 23; ++i) {
    Image& tile = tiles.emplace_back(i % 3 == 0 ? Size{1 + i * 2, 64 - i * 2} : Size{64, 64});
    for (size_t byte = 0; byte < tile.bytes(); ++byte) {
      tile.data()[byte] = static_cast<uint8_t>(random() % 64 + byte % 190);
    }
  }
  return tiles;
}

/// A tile continued by its last pixels.
Image padded(const Image& tile) {
  Image result(Size{kTileSide, kTileSide});
  for (int y = 0; y < kTileSide; ++y) {
    for (int x = 0; x < kTileSide; ++x) {
      std::memcpy(
          result.view().row(y) + x * 4,
          tile.view().row(std::min(y, tile.size().height - 1)) + std::min(x, tile.size().width - 1) * 4, 4);
    }
  }
  return result;
}

TEST_P(Codec, TilesStandAlone) {
  const std::vector<Image> tiles = some_tiles();
  std::vector<ImageView> views;
  for (const Image& tile : tiles) views.push_back(tile.view());
  Latents batch;
  encoder_->encode_tiles(views, 2.0f, batch);
  ASSERT_EQ(batch.shape, tile_latent_shape(static_cast<int>(tiles.size()), model_.latent_channels));

  std::vector<Image> decoded;
  for (const Image& tile : tiles) {
    decoded.emplace_back(tile.size());
    std::fill_n(decoded.back().data(), decoded.back().bytes(), uint8_t{0x5a});
  }
  std::vector<MutableImageView> outputs;
  for (Image& tile : decoded) outputs.push_back(tile.view());
  decoder_->decode_tiles(batch, outputs);

  constexpr size_t kPositions = size_t{kTileLatentSide} * kTileLatentSide;
  for (size_t i = 0; i < tiles.size(); ++i) {
    const Latents alone = encode(padded(tiles[i]), 2.0f);
    size_t flips = 0;
    for (size_t c = 0; c < static_cast<size_t>(model_.latent_channels); ++c) {
      for (size_t p = 0; p < kPositions; ++p) {
        const int difference = std::abs(alone.values[c * kPositions + p] -
                                        batch.values[(c * tiles.size() + i) * kPositions + p]);
        ASSERT_LE(difference, 1) << "tile " << i;
        flips += difference != 0;
      }
    }
    EXPECT_LE(static_cast<double>(flips), 0.005 * static_cast<double>(alone.values.size())) << "tile " << i;
    Image whole = decode(alone, {kTileSide, kTileSide});
    const ImageView part{whole.data(), tiles[i].size(), size_t{kTileSide} * kBytesPerPixel};
    Fidelity fidelity;
    fidelity.add(part, decoded[i].view());
    EXPECT_GE(fidelity.psnr(), 40) << "tile " << i;
  }
}

}  // namespace
}  // namespace latentdesk
