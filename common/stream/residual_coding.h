#pragma once

#include "common/stream/range_coder.h"
#include "common/stream/tiles.h"

#include <array>
#include <cstdint>

namespace latentdesk {

/// Residuals of an update's pixels (exact.h) as bits of a range coder (docs/protocol.md, "The stream of
/// residuals"): of each the width of its magnitude, by what the residuals around it are and by those of the
/// same pixel in other planes, then the bits below the highest, and the sign. One thread uses it.
class ResidualCoder {
 public:
  /// Before the first of an update.
  void begin();

  /// Codes those of a tile's pixels in `mask`: each plane has one a pixel, in the order of for_each_run.
  void encode(RangeEncoder& coder, Size tile, BlockMask mask, const std::array<const uint8_t*, 3>& planes);
  /// The reverse.
  void decode(RangeDecoder& coder, Size tile, BlockMask mask, const std::array<uint8_t*, 3>& planes);

 private:
  static constexpr size_t kPlanes = 3;
  // Magnitudes have a border of zeros: a row above, a column at the left and one at the right.
  static constexpr int kStride = kTileSide + 2;

  struct Models {
    // By plane, neighbourhood and other planes: is the width above this?
    std::array<std::array<std::array<std::array<BitModel, 8>, 5>, 16>, kPlanes> width;
    // By plane and width: the bit below the highest one.
    std::array<std::array<BitModel, 9>, kPlanes> second;
  };

  template <typename Coder, typename Byte>
  void code(Coder& coder, Size tile, BlockMask mask, const std::array<Byte*, kPlanes>& planes);
  template <typename Coder>
  int code_residual(Coder& coder, size_t plane, size_t at, int residual);

  Models models_;
  std::array<std::array<uint8_t, size_t{kStride} * (kTileSide + 1)>, kPlanes> magnitudes_{};
};

}  // namespace latentdesk
