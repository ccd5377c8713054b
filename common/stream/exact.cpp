#include "common/stream/exact.h"

namespace latentdesk {

namespace {

constexpr uint8_t kMiddle = 128;  // of the differences, so that small ones of either sign are near each other

using Channels = std::array<uint8_t, 3>;

Channels to_channels(const uint8_t* bgrx) {
  return {bgrx[1], static_cast<uint8_t>(bgrx[2] - bgrx[1] + kMiddle),
          static_cast<uint8_t>(bgrx[0] - bgrx[1] + kMiddle)};
}

void store(const Channels& channels, uint8_t* bgrx) {
  bgrx[1] = channels[0];
  bgrx[2] = static_cast<uint8_t>(channels[1] - kMiddle + channels[0]);
  bgrx[0] = static_cast<uint8_t>(channels[2] - kMiddle + channels[0]);
  bgrx[3] = 255;
}

uint8_t median_prediction(int left, int above, int above_left) {
  const int low = std::min(left, above), high = std::max(left, above);
  return static_cast<uint8_t>(std::clamp(left + above - above_left, low, high));
}

/// What is known before the pixel at (x, y): its neighbours in the mask, which come before it.
Channels predict(ImageView tile, BlockMask mask, int x, int y, bool has_left) {
  const auto in_mask = [mask](int px, int py) {
    return (mask & block_bit(px / kBlockSide, py / kBlockSide)) != 0;
  };
  const uint8_t* here = tile.row(y) + x * kBytesPerPixel;
  const bool has_above = y > 0 && in_mask(x, y - 1);
  if (!has_above) return has_left ? to_channels(here - kBytesPerPixel) : Channels{0, kMiddle, kMiddle};
  const uint8_t* up = here - tile.stride;
  if (!has_left || !in_mask(x - 1, y - 1)) return to_channels(up);
  const Channels left = to_channels(here - kBytesPerPixel), above = to_channels(up),
                 above_left = to_channels(up - kBytesPerPixel);
  Channels prediction;
  for (size_t c = 0; c < 3; ++c) prediction[c] = median_prediction(left[c], above[c], above_left[c]);
  return prediction;
}

}  // namespace

void append_residuals(ImageView tile, BlockMask mask, ResidualPlanes& planes) {
  for_each_run(tile.size, mask, [&](int begin, int y, int count) {
    for (int x = begin; x < begin + count; ++x) {
      const Channels prediction = predict(tile, mask, x, y, x > begin);
      const Channels actual = to_channels(tile.row(y) + x * kBytesPerPixel);
      for (size_t c = 0; c < 3; ++c) planes[c].push_back(static_cast<uint8_t>(actual[c] - prediction[c]));
    }
  });
}

void restore_pixels(const std::array<const uint8_t*, 3>& planes, BlockMask mask, MutableImageView tile) {
  size_t i = 0;
  for_each_run(tile.size, mask, [&](int begin, int y, int count) {
    for (int x = begin; x < begin + count; ++x, ++i) {
      Channels channels = predict(tile, mask, x, y, x > begin);
      for (size_t c = 0; c < 3; ++c) channels[c] = static_cast<uint8_t>(channels[c] + planes[c][i]);
      store(channels, tile.row(y) + x * kBytesPerPixel);
    }
  });
}

}  // namespace latentdesk
