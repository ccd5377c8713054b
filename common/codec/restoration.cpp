#include "common/codec/restoration.h"

#include "common/codec/restoration_kernel.h"

#include <algorithm>
#include <cmath>

namespace latentdesk {

namespace {

constexpr float kStepPerScale = 14;
constexpr float kNaturalNoise = 9, kDrawnNoise = 21;  // per square root of the scale

int levels(float value, int most) {
  return static_cast<int>(std::floor(std::min(value, static_cast<float>(most)) + 0.5f));
}

restoration::Limits limits_at(float scale) {
  using restoration::kLargestNoise;
  const auto noise = [root = std::sqrt(scale)](float per_root) {
    return static_cast<uint8_t>(levels(per_root * root, kLargestNoise));
  };
  return {.step = static_cast<int16_t>(levels(kStepPerScale * scale, restoration::kLargestStep)),
          .noise = {noise(kNaturalNoise), noise(kDrawnNoise)}};
}

// Compiled for wider SIMD as well, and chosen when the program starts; sanitizers do not bear with that.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
[[gnu::flatten, gnu::target_clones("avx2", "default")]]
#endif
void run(const restoration::Picture& picture, const restoration::Blocks& blocks,
         const restoration::Limits& limits, uint8_t* memory) {
  restoration::restore(picture, blocks, limits, memory);
}

}  // namespace

void Restoration::begin(Size size) {
  columns_ = (size.width + restoration::kBlock - 1) / restoration::kBlock;
  rows_ = (size.height + restoration::kBlock - 1) / restoration::kBlock;
  kinds_.assign(static_cast<size_t>(columns_) * static_cast<size_t>(rows_), 0);
  copy_.resize(restoration::copy_bytes(size.width, size.height));
}

void Restoration::restore(MutableImageView picture, float scale) {
  const auto [width, height] = picture.size;
  run({picture.data, picture.stride, width, height}, {kinds_.data(), columns_, rows_}, limits_at(scale),
      copy_.data());
}

void Restoration::restore_all(MutableImageView picture, float scale) {
  begin(picture.size);
  std::fill(kinds_.begin(), kinds_.end(), static_cast<uint8_t>(Kind::natural));
  restore(picture, scale);
}

}  // namespace latentdesk
