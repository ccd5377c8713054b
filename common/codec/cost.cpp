#include "common/codec/cost.h"

namespace latentdesk {

namespace {

constexpr double kBytesPerValue = 2;
constexpr double kBytesPerPixelOfPicture = 4;

/// Bytes of a tensor whose positions are `downscale` pixels apart.
double tensor_bytes(int channels, int downscale, double pixels) {
  if (downscale == 1) return kBytesPerPixelOfPicture * pixels;
  return kBytesPerValue * channels * pixels / (static_cast<double>(downscale) * downscale);
}

int downscale_of_source(const Layer& layer) {
  if (layer.kind == Layer::Kind::depth_to_space) return layer.downscale * layer.block;
  return layer.kind == Layer::Kind::space_to_depth ? layer.downscale / layer.block : layer.downscale;
}

}  // namespace

Cost cost_of(const Network& network, size_t pixels) {
  Cost cost;
  const auto area = static_cast<double>(pixels);
  for (const Layer& layer : network) {
    const double out = tensor_bytes(layer.out_channels, layer.downscale, area);
    cost.bytes += tensor_bytes(layer.in_channels, downscale_of_source(layer), area) + out;
    if (layer.kind != Layer::Kind::conv) continue;
    const auto weights = static_cast<double>(layer.weights.size());
    cost.bytes += kBytesPerValue * weights + (layer.residual == Layer::kNothing ? 0 : out);
    cost.operations += 2 * weights * area / (static_cast<double>(layer.downscale) * layer.downscale);
  }
  return cost;
}

}  // namespace latentdesk
