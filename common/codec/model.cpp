#include "common/codec/model.h"

#include "common/protocol.h"

#include <nlohmann/json.hpp>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace latentdesk {

namespace {

using nlohmann::json;

constexpr size_t kMaxLayers = 64;
constexpr int kMaxChannels = 1024;
constexpr int kMaxKernel = 7;
constexpr int kMaxBlock = 8;
constexpr int kRgbChannels = 3;

/// Channels and resolution of what a layer reads.
struct Feature {
  int channels = 0;
  int downscale = 1;

  bool operator==(const Feature&) const = default;
};

class NetworkParser {
 public:
  NetworkParser(const ModelFile& file, const std::string& key, Feature input)
      : file_(file), key_(key), input_(input) {}

  Network parse() {
    const json layers = json::parse(file_.metadata(key_));
    check(layers.is_array() && !layers.empty() && layers.size() <= kMaxLayers, "is not a list of layers");
    for (const json& entry : layers) network_.push_back(parse_layer(entry));
    return std::move(network_);
  }

 private:
  void check(bool condition, const char* complaint) const {
    if (condition) return;
    throw ModelError(file_.name() + ": " + key_ + " layer " + std::to_string(network_.size()) + " " +
                     complaint);
  }

  int next_index() const { return static_cast<int>(network_.size()); }

  Feature feature(int index) const {
    check(index >= Layer::kInput && index < next_index(), "reads a layer that does not precede it");
    if (index == Layer::kInput) return input_;
    const Layer& layer = network_[static_cast<size_t>(index)];
    return {layer.out_channels, layer.downscale};
  }

  Layer parse_layer(const json& entry) const {
    Layer layer;
    layer.source = entry.value("from", next_index() - 1);
    const Feature source = feature(layer.source);
    layer.in_channels = source.channels;
    layer.downscale = source.downscale;
    const auto op = entry.at("op").get<std::string>();
    if (op == "conv") {
      parse_conv(entry, layer);
    } else if (op == "space_to_depth") {
      parse_space_to_depth(entry, layer);
    } else {
      check(op == "depth_to_space", "has an unknown operation");
      parse_depth_to_space(entry, layer);
    }
    check(layer.out_channels <= kMaxChannels, "has too many channels");
    return layer;
  }

  void parse_conv(const json& entry, Layer& layer) const {
    const auto weight_name = entry.at("weight").get<std::string>();
    const auto& shape = file_.tensor(weight_name).shape;
    check(shape.size() == 4 && shape[1] == layer.in_channels, "has weights that do not fit its input");
    check(shape[2] == shape[3] && shape[2] % 2 == 1 && shape[2] <= kMaxKernel, "has an unsupported kernel");
    check(shape[0] <= kMaxChannels, "has too many channels");
    layer.out_channels = static_cast<int>(shape[0]);
    layer.kernel = static_cast<int>(shape[2]);
    layer.weights = file_.floats(weight_name);
    layer.bias = file_.floats(entry.at("bias").get<std::string>());
    check(layer.bias.size() == static_cast<size_t>(layer.out_channels), "has a bias of a wrong size");
    layer.relu = entry.value("relu", false);
    parse_steps(entry, layer);
    if (!entry.contains("add")) return;
    layer.residual = entry.at("add").get<int>();
    check(feature(layer.residual) == Feature{layer.out_channels, layer.downscale},
          "adds a layer of another shape");
  }

  /// The optional steps of 8-bit arithmetic.
  void parse_steps(const json& entry, Layer& layer) const {
    const auto is_step = [](float step) { return std::isfinite(step) && step > 0; };
    if (entry.contains("weight_steps")) {
      layer.weight_steps = file_.floats(entry.at("weight_steps").get<std::string>());
      check(
          layer.weight_steps.size() == layer.bias.size() && std::ranges::all_of(layer.weight_steps, is_step),
          "has steps of weights that do not fit");
    }
    if (entry.contains("output_step")) {
      layer.output_step = entry.at("output_step").get<float>();
      check(is_step(layer.output_step) && layer.relu, "has an impossible step of its output");
    }
  }

  int parse_block(const json& entry) const {
    const int block = entry.at("block").get<int>();
    check(block >= 2 && block <= kMaxBlock, "has an unsupported block");
    return block;
  }

  void parse_space_to_depth(const json& entry, Layer& layer) const {
    layer.kind = Layer::Kind::space_to_depth;
    layer.block = parse_block(entry);
    layer.out_channels = layer.in_channels * layer.block * layer.block;
    layer.downscale *= layer.block;
  }

  void parse_depth_to_space(const json& entry, Layer& layer) const {
    layer.kind = Layer::Kind::depth_to_space;
    layer.block = parse_block(entry);
    const int area = layer.block * layer.block;
    check(layer.in_channels % area == 0 && layer.downscale % layer.block == 0, "cannot be spread in space");
    layer.out_channels = layer.in_channels / area;
    layer.downscale /= layer.block;
  }

  const ModelFile& file_;
  std::string key_;
  Feature input_;
  Network network_;
};

float positive_float(const ModelFile& file, const std::string& key) {
  const float value = std::strtof(file.metadata(key).c_str(), nullptr);
  if (!(value > 0 && std::isfinite(value)))
    throw ModelError(file.name() + ": " + key + " is not a positive number");
  return value;
}

int positive_int(const ModelFile& file, const std::string& key, int max) {
  const long value = std::strtol(file.metadata(key).c_str(), nullptr, 10);
  if (value < 1 || value > max) throw ModelError(file.name() + ": " + key + " is out of range");
  return static_cast<int>(value);
}

void check_checksum(const ModelFile& file) {
  char digits[9];
  const auto data = file.data();
  std::snprintf(digits, sizeof digits, "%08lx", crc32(0, data.data(), static_cast<uInt>(data.size())));
  if (file.metadata("crc32") != digits) throw ModelError(file.name() + ": is damaged (checksum)");
}

void check_ends(const ModelFile& file, const Model& model) {
  const Layer& first = model.encoder.front();
  const Layer& latent = model.encoder.back();
  const Layer& last = model.decoder.back();
  const bool encoder_fits = first.kind == Layer::Kind::space_to_depth && first.block == kLatentStride &&
                            latent.kind == Layer::Kind::conv && latent.downscale == kLatentStride &&
                            latent.out_channels == model.latent_channels;
  const bool decoder_fits =
      last.kind == Layer::Kind::depth_to_space && last.downscale == 1 && last.out_channels == kRgbChannels;
  if (!encoder_fits) throw ModelError(file.name() + ": encoder does not lead from a picture to the latents");
  if (!decoder_fits) throw ModelError(file.name() + ": decoder does not lead from the latents to a picture");
}

}  // namespace

float Model::scale_for_quality(int quality) const {
  const float position = static_cast<float>(std::clamp(quality, 1, 100) - 1) / 99.0f;
  return scale_max * std::pow(scale_min / scale_max, position);
}

Model parse_model(const ModelFile& file) try {
  if (file.metadata("format") != "latentdesk.model.1")
    throw ModelError(file.name() + ": is not a latentdesk model");
  if (positive_int(file, "stride", kLatentStride) != kLatentStride) {
    throw ModelError(file.name() + ": has a stride other than 8");
  }
  Model model;
  model.name = file.metadata("name");
  model.version = file.metadata("version");
  model.hash = file.metadata("hash");
  model.latent_channels = positive_int(file, "latent_channels", kMaxLatentChannels);
  model.scale_min = positive_float(file, "scale_min");
  model.scale_max = positive_float(file, "scale_max");
  if (model.scale_min >= model.scale_max) throw ModelError(file.name() + ": has no range of scales");
  model.encoder = NetworkParser(file, "encoder", {kRgbChannels, 1}).parse();
  model.decoder = NetworkParser(file, "decoder", {model.latent_channels, kLatentStride}).parse();
  check_ends(file, model);
  return model;
} catch (const json::exception&) {
  throw ModelError(file.name() + ": has a layer with a field that is missing or of a wrong type");
}

Model load_model(const std::string& path) {
  const ModelFile file = ModelFile::read(path);
  Model model = parse_model(file);
  check_checksum(file);
  return model;
}

}  // namespace latentdesk
