#include "common/stream/residual_coding.h"

#include <cstdlib>

namespace latentdesk {

void ResidualCoder::begin() { models_ = {}; }

void ResidualCoder::encode(RangeEncoder& coder, Size tile, BlockMask mask,
                           const std::array<const uint8_t*, 3>& planes) {
  code(coder, tile, mask, planes);
}

void ResidualCoder::decode(RangeDecoder& coder, Size tile, BlockMask mask,
                           const std::array<uint8_t*, 3>& planes) {
  code(coder, tile, mask, planes);
}

template <typename Coder, typename Byte>
void ResidualCoder::code(Coder& coder, Size tile, BlockMask mask, const std::array<Byte*, kPlanes>& planes) {
  magnitudes_ = {};
  for (size_t plane = 0; plane < kPlanes; ++plane) {
    Byte* next = planes[plane];
    for_each_run(tile, mask, [&](int x, int y, int count) {
      size_t at = static_cast<size_t>((y + 1) * kStride + x + 1);
      for (const size_t end = at + static_cast<size_t>(count); at < end; ++at, ++next) {
        const int residual = code_residual(coder, plane, at, static_cast<int8_t>(*next));
        if constexpr (!Coder::kEncodes) *next = static_cast<uint8_t>(residual);
        magnitudes_[plane][at] = static_cast<uint8_t>(std::abs(residual));
      }
    });
  }
}

template <typename Coder>
int ResidualCoder::code_residual(Coder& coder, size_t plane, size_t at, int residual) {
  const uint8_t* here = &magnitudes_[plane][at];
  const int around = 2 * here[-1] + 2 * here[-kStride] + here[-kStride - 1] + here[-kStride + 1];
  int others = 0;
  for (size_t before = 0; before < plane; ++before) others += magnitudes_[before][at];
  auto& widths =
      models_.width[plane][std::min<size_t>(half_octave(around), 15)][std::min<size_t>(width_of(others), 4)];
  const int actual = std::abs(residual);
  const size_t actual_width = width_of(actual);
  size_t width = 0;
  while (width < widths.size() && coder.code(widths[width], actual_width > width)) ++width;
  if (width == 0) return 0;
  int magnitude = 1;
  if (width > 1) {
    const int rest = static_cast<int>(width) - 2;
    const bool second = coder.code(models_.second[plane][width], (actual >> rest & 1) != 0);
    const uint32_t below = static_cast<uint32_t>(actual) & ((1u << rest) - 1);
    magnitude = (2 + second) << rest | static_cast<int>(coder.code_bits(below, rest));
  }
  return coder.code_bits(residual < 0, 1) != 0 ? -magnitude : magnitude;
}

}  // namespace latentdesk
