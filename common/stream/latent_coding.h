#pragma once

#include "common/protocol.h"
#include "common/stream/range_coder.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace latentdesk {

/// Latents of tiles, int8 [channel][tile][y][x], as bytes of a range coder (docs/protocol.md, "Latents"). At
/// each position comes first how many channels it has up to the last one that is not 0, then their values;
/// probabilities are learnt for each band of channels, by what the neighbours are. The first channels, which
/// hold brightness and colour, are predicted from their neighbours where that is worth it. Keeps its memory;
/// one thread uses it.
class LatentCoder {
 public:
  /// Appends to `out`. The number of latents must be that of whole tiles.
  void encode(std::span<const int8_t> latents, int channels, std::vector<uint8_t>& out);

  /// Fills `latents`. Throws ProtocolError unless all of `stream` is what they are made of.
  void decode(ByteView stream, int channels, std::span<int8_t> latents);

 private:
  static constexpr int kSide = 8;
  static constexpr int kPositions = kSide * kSide;
  static constexpr int kMaxChannels = 256;
  static constexpr int kPredicted = 8;  ///< channels that may be predicted
  // Magnitudes of a tile have a border of zeros: a row above, a column at the left and one at the right.
  static constexpr int kStride = kSide + 2;

  struct Models {
    // By band of channels, neighbourhood and how many channels are left.
    std::array<std::array<std::array<BitModel, 8>, 8>, 16> zero;
    // By band of channels, neighbourhood and the magnitude so far.
    std::array<std::array<std::array<BitModel, 8>, 8>, 16> magnitude;
    // By the width of what is expected, and the width so far.
    std::array<std::array<BitModel, 9>, 10> count_width;
    // By the width, that of what is expected, and the bits so far.
    std::array<std::array<std::array<BitModel, 4>, 10>, 10> count_bits;
  };
  using Row = std::array<uint8_t, kMaxChannels>;

  void begin(int channels, size_t tiles);
  template <typename Coder>
  void code_tile(Coder& coder);
  template <typename Coder>
  int code_count(Coder& coder, int position, int count);
  template <typename Coder>
  int code_value(Coder& coder, int channel, int left, const Row* row, int value);
  void choose_predicted(std::span<const int8_t> latents);
  void gather(std::span<const int8_t> latents, size_t tile);
  void scatter(std::span<int8_t> latents, size_t tile) const;

  int channels_ = 0;
  size_t tiles_ = 0;
  uint32_t predicted_ = 0;  ///< a bit for each channel
  int last_count_ = 0;      ///< of the upper right position of the tile before
  Models models_;
  std::array<std::array<int8_t, kMaxChannels>, kPositions> values_{};
  std::array<Row, kStride*(kSide + 1)> magnitudes_{};
  std::array<int, kPositions> counts_{};
};

}  // namespace latentdesk
