#include "common/stream/exact.h"

namespace latentdesk {

namespace {

/// Green, red - green, blue - green.
using Channels = std::array<int, 3>;

// Where a channel's colour lies in a BGRX pixel.
constexpr std::array<size_t, 3> kPlace{1, 2, 0};

Channels to_channels(const uint8_t* bgrx) { return {bgrx[1], bgrx[2] - bgrx[1], bgrx[0] - bgrx[1]}; }

int median_prediction(int left, int above, int above_left) {
  const int low = std::min(left, above), high = std::max(left, above);
  return std::clamp(left + above - above_left, low, high);
}

/// What is known before the pixel at (x, y): its neighbours in the mask, which come before it.
Channels predict(const MutableImageView& tile, BlockMask mask, int x, int y, bool has_left) {
  const auto in_mask = [mask](int px, int py) {
    return (mask & block_bit(px / kBlockSide, py / kBlockSide)) != 0;
  };
  const uint8_t* here = tile.row(y) + x * kBytesPerPixel;
  const bool has_above = y > 0 && in_mask(x, y - 1);
  if (!has_above) return has_left ? to_channels(here - kBytesPerPixel) : Channels{};
  const uint8_t* up = here - tile.stride;
  if (!has_left || !in_mask(x - 1, y - 1)) return to_channels(up);
  const Channels left = to_channels(here - kBytesPerPixel), above = to_channels(up),
                 above_left = to_channels(up - kBytesPerPixel);
  Channels prediction;
  for (size_t c = 0; c < 3; ++c) prediction[c] = median_prediction(left[c], above[c], above_left[c]);
  return prediction;
}

/// The colour of 0 to 255 that a residual makes of what was expected. Without an error arithmetic is modulo
/// 256, which leaves no doubt; with one it must not wrap.
uint8_t restore(int expected, uint8_t residual, int error) {
  if (error == 0) return static_cast<uint8_t>(expected + residual);
  const int step = 2 * error + 1;
  return static_cast<uint8_t>(
      std::clamp(std::clamp(expected, 0, 255) + static_cast<int8_t>(residual) * step, 0, 255));
}

uint8_t residual_of(int actual, int expected, int error) {
  if (error == 0) return static_cast<uint8_t>(actual - expected);
  const int step = 2 * error + 1, difference = actual - std::clamp(expected, 0, 255);
  const int rounded = (difference >= 0 ? difference + error : difference - error) / step;
  return static_cast<uint8_t>(static_cast<int8_t>(rounded));
}

}  // namespace

void append_residuals(ImageView tile, BlockMask mask, int error, MutableImageView restored,
                      ResidualPlanes& planes) {
  for_each_run(tile.size, mask, [&](int begin, int y, int count) {
    for (int x = begin; x < begin + count; ++x) {
      const Channels prediction = predict(restored, mask, x, y, x > begin);
      const uint8_t* original = tile.row(y) + x * kBytesPerPixel;
      uint8_t* pixel = restored.row(y) + x * kBytesPerPixel;
      for (size_t c = 0; c < 3; ++c) {
        const int expected = prediction[c] + (c == 0 ? 0 : pixel[kPlace[0]]);
        const uint8_t residual = residual_of(original[kPlace[c]], expected, error);
        planes[c].push_back(residual);
        pixel[kPlace[c]] = restore(expected, residual, error);
      }
    }
  });
}

void restore_pixels(const std::array<const uint8_t*, 3>& planes, BlockMask mask, int error,
                    MutableImageView tile) {
  size_t i = 0;
  for_each_run(tile.size, mask, [&](int begin, int y, int count) {
    for (int x = begin; x < begin + count; ++x, ++i) {
      const Channels prediction = predict(tile, mask, x, y, x > begin);
      uint8_t* pixel = tile.row(y) + x * kBytesPerPixel;
      for (size_t c = 0; c < 3; ++c) {
        const int expected = prediction[c] + (c == 0 ? 0 : pixel[kPlace[0]]);
        pixel[kPlace[c]] = restore(expected, planes[c][i], error);
      }
      pixel[3] = 255;
    }
  });
}

}  // namespace latentdesk
