#include "common/codec/cost.h"

#include <gtest/gtest.h>

namespace latentdesk {
namespace {

Layer rearranging(Layer::Kind kind, int in, int out, int downscale) {
  Layer layer;
  layer.kind = kind;
  layer.in_channels = in;
  layer.out_channels = out;
  layer.downscale = downscale;
  layer.block = 8;
  return layer;
}

Layer convolution(int in, int out, int kernel, int downscale) {
  Layer layer;
  layer.in_channels = in;
  layer.out_channels = out;
  layer.kernel = kernel;
  layer.downscale = downscale;
  layer.weights.resize(static_cast<size_t>(in * out * kernel * kernel));
  return layer;
}

TEST(Cost, IsOperationsAndBytesOfEachLayer) {
  constexpr size_t kPixels = 128 * 64;
  constexpr double kPositions = 128;
  Network network{rearranging(Layer::Kind::space_to_depth, 3, 192, 8), convolution(192, 96, 1, 8),
                  convolution(96, 96, 3, 8)};
  network.back().residual = 1;
  const Cost cost = cost_of(network, kPixels);
  EXPECT_DOUBLE_EQ(cost.operations, 2 * kPositions * (192 * 96 + 96 * 96 * 9));
  const double pixels_to_blocks = 4.0 * kPixels + 2 * 192 * kPositions;
  const double first = 2 * (192 + 96) * kPositions + 2 * 192 * 96;
  const double second = 2 * (96 + 96 + 96) * kPositions + 2 * 96 * 96 * 9;
  EXPECT_DOUBLE_EQ(cost.bytes, pixels_to_blocks + first + second);
}

TEST(Cost, LastRearrangementWritesPixels) {
  const Network network{rearranging(Layer::Kind::depth_to_space, 192, 3, 1)};
  const Cost cost = cost_of(network, 64 * 10);
  EXPECT_DOUBLE_EQ(cost.operations, 0);
  EXPECT_DOUBLE_EQ(cost.bytes, 2 * 192 * 10 + 4 * 64 * 10);
}

}  // namespace
}  // namespace latentdesk
