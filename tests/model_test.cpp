#include "common/codec/model.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <unistd.h>

namespace latentdesk {
namespace {

using nlohmann::json;

const std::string kPath = std::string(LATENTDESK_MODELS_DIR) + "/latentdesk-lite.safetensors";

std::vector<uint8_t> shipped_bytes() {
  std::ifstream file(kPath, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The shipped file with its metadata changed, written back in the same format.
Model with_metadata(const std::function<void(json&)>& change) {
  const auto bytes = shipped_bytes();
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  const auto data = bytes.begin() + 8 + static_cast<std::ptrdiff_t>(length);
  json header = json::parse(bytes.begin() + 8, data);
  change(header["__metadata__"]);
  const std::string text = header.dump();
  length = text.size();
  std::vector<uint8_t> changed(8);
  std::memcpy(changed.data(), &length, sizeof length);
  changed.insert(changed.end(), text.begin(), text.end());
  changed.insert(changed.end(), data, bytes.end());
  return parse_model(ModelFile::parse(std::move(changed), "changed"));
}

/// The same for one layer of a network.
Model with_layer(const char* network, size_t index, const std::function<void(json&)>& change) {
  return with_metadata([&](json& metadata) {
    json layers = json::parse(metadata[network].get<std::string>());
    change(layers.at(index));
    metadata[network] = layers.dump();
  });
}

TEST(Model, ShippedOneFitsTogether) {
  const Model model = load_model(kPath);
  EXPECT_EQ(model.name, "lite");
  EXPECT_EQ(model.wire_version(), "lite-" + model.version + "." + model.hash);
  EXPECT_EQ(model.encoder.front().out_channels, 192);
  EXPECT_EQ(model.encoder.back().out_channels, model.latent_channels);
  EXPECT_EQ(model.decoder.back().out_channels, 3);
}

TEST(Model, QualityIsMonotonicAndSpansTheTrainedRange) {
  const Model model = load_model(kPath);
  EXPECT_NEAR(model.scale_for_quality(1) / model.scale_max, 1, 1e-5);
  EXPECT_NEAR(model.scale_for_quality(100) / model.scale_min, 1, 1e-5);
  for (int quality = 2; quality <= 100; ++quality) {
    EXPECT_LT(model.scale_for_quality(quality), model.scale_for_quality(quality - 1));
  }
}

TEST(Model, UnchangedRewriteIsAccepted) {
  EXPECT_NO_THROW(with_metadata([](json&) {}));
}

TEST(Model, DamageIsFoundByTheChecksum) {
  auto bytes = shipped_bytes();
  bytes.back() ^= 1;
  const std::string path = testing::TempDir() + std::to_string(getpid()) + "-damaged.safetensors";
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  EXPECT_THROW(load_model(path), ModelError);
}

TEST(Model, WrongMetadataIsRefused) {
  for (const char* key :
       {"format", "stride", "latent_channels", "scale_min", "scale_max", "encoder", "decoder"}) {
    EXPECT_THROW(with_metadata([&](json& metadata) { metadata.erase(key); }), ModelError) << key;
    EXPECT_THROW(with_metadata([&](json& metadata) { metadata[key] = "nan"; }), ModelError) << key;
    EXPECT_THROW(with_metadata([&](json& metadata) { metadata[key] = "[]"; }), ModelError) << key;
  }
}

TEST(Model, LayersThatDoNotFitAreRefused) {
  const auto refuse = [](const char* network, size_t index, const char* field, const json& value) {
    EXPECT_THROW(with_layer(network, index, [&](json& layer) { layer[field] = value; }), ModelError)
        << network << ' ' << index << ' ' << field;
  };
  refuse("encoder", 0, "block", 4);
  refuse("encoder", 0, "block", 0);
  refuse("encoder", 0, "op", "softmax");
  refuse("encoder", 1, "weight", "missing");
  refuse("encoder", 1, "bias", 5);
  refuse("encoder", 2, "from", 2);
  refuse("encoder", 2, "from", -2);
  refuse("encoder", 2, "add", 99);
  refuse("encoder", 3, "add", 0);
}

TEST(Model, StepsOfEightBitsMayBeAbsentButNotWrong) {
  const Model shipped = load_model(kPath);
  EXPECT_EQ(shipped.encoder[1].weight_steps.size(), static_cast<size_t>(shipped.encoder[1].out_channels));
  EXPECT_GT(shipped.encoder[2].output_step, 0);
  const auto change = [](size_t index, const char* field, const json& value) {
    return with_layer("encoder", index, [&](json& layer) { layer[field] = value; });
  };
  const auto without = [](const char* field) {
    return with_layer("encoder", 2, [&](json& layer) { layer.erase(field); });
  };
  EXPECT_TRUE(without("weight_steps").encoder[2].weight_steps.empty());
  EXPECT_EQ(without("output_step").encoder[2].output_step, 0);
  EXPECT_THROW(change(1, "weight_steps", "missing"), ModelError);
  EXPECT_THROW(change(1, "weight_steps", "encoder.1.weight"), ModelError);  // not one a channel
  EXPECT_THROW(change(1, "weight_steps", "encoder.1.bias"), ModelError);    // not positive
  EXPECT_THROW(change(1, "output_step", 0.1), ModelError);                  // no ReLU
  for (const json& step : {json(0), json(-1), json(1e300), json("1"), json()}) {
    EXPECT_THROW(change(2, "output_step", step), ModelError) << step;
  }
}

}  // namespace
}  // namespace latentdesk
