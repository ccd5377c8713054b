#include "common/fidelity.h"

#include <cmath>
#include <cstdlib>
#include <vector>

namespace latentdesk {

namespace {

constexpr double kPsnrOfEqual = 99;
constexpr int kWindow = 8;
constexpr int kWindowStep = 4;

uint64_t squared_error(ImageView a, ImageView b) {
  uint64_t sum = 0;
  for (int y = 0; y < a.size.height; ++y) {
    const uint8_t* row_a = a.row(y);
    const uint8_t* row_b = b.row(y);
    for (int x = 0; x < a.size.width * kBytesPerPixel; ++x) {
      if (x % kBytesPerPixel == 3) continue;
      const int difference = row_a[x] - row_b[x];
      sum += static_cast<uint64_t>(difference * difference);
    }
  }
  return sum;
}

/// Luma of BT.601, 0 to 255.
std::vector<float> luma(ImageView image) {
  std::vector<float> result;
  result.reserve(image.size.pixels());
  for (int y = 0; y < image.size.height; ++y) {
    const uint8_t* pixel = image.row(y);
    for (int x = 0; x < image.size.width; ++x, pixel += kBytesPerPixel) {
      result.push_back(0.114f * pixel[0] + 0.587f * pixel[1] + 0.299f * pixel[2]);
    }
  }
  return result;
}

double window_ssim(const float* a, const float* b, size_t stride) {
  double sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_ab = 0;
  for (int y = 0; y < kWindow; ++y, a += stride, b += stride) {
    for (int x = 0; x < kWindow; ++x) {
      sum_a += a[x];
      sum_b += b[x];
      sum_aa += double{a[x]} * a[x];
      sum_bb += double{b[x]} * b[x];
      sum_ab += double{a[x]} * b[x];
    }
  }
  constexpr double n = kWindow * kWindow;
  constexpr double c1 = (0.01 * 255) * (0.01 * 255);
  constexpr double c2 = (0.03 * 255) * (0.03 * 255);
  const double mean_a = sum_a / n, mean_b = sum_b / n;
  const double var_a = sum_aa / n - mean_a * mean_a, var_b = sum_bb / n - mean_b * mean_b;
  const double covariance = sum_ab / n - mean_a * mean_b;
  return (2 * mean_a * mean_b + c1) * (2 * covariance + c2) /
         ((mean_a * mean_a + mean_b * mean_b + c1) * (var_a + var_b + c2));
}

double frame_ssim(ImageView original, ImageView decoded) {
  const std::vector<float> a = luma(original), b = luma(decoded);
  const auto stride = static_cast<size_t>(original.size.width);
  double sum = 0;
  uint64_t windows = 0;
  for (int y = 0; y + kWindow <= original.size.height; y += kWindowStep) {
    for (int x = 0; x + kWindow <= original.size.width; x += kWindowStep) {
      const size_t offset = static_cast<size_t>(y) * stride + static_cast<size_t>(x);
      sum += window_ssim(a.data() + offset, b.data() + offset, stride);
      ++windows;
    }
  }
  return windows ? sum / static_cast<double>(windows) : 1;
}

}  // namespace

void Fidelity::add(ImageView original, ImageView decoded) {
  squared_error_ += squared_error(original, decoded);
  samples_ += original.size.pixels() * 3;
  ssim_sum_ += frame_ssim(original, decoded);
  ++frames_;
}

double Fidelity::psnr() const {
  if (squared_error_ == 0) return kPsnrOfEqual;
  const double mse = static_cast<double>(squared_error_) / static_cast<double>(samples_);
  return 10 * std::log10(255.0 * 255.0 / mse);
}

double Fidelity::ssim() const { return frames_ ? ssim_sum_ / static_cast<double>(frames_) : 1; }

}  // namespace latentdesk
