#pragma once

#include "common/protocol.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace latentdesk {

class LatentModel;

/// Latents of tiles, int8 [channel][tile][y][x], as bytes of a range coder (docs/protocol.md, "The stream of
/// latents"). A position that is the same as one before says so; else its channels' values come, by
/// probabilities that are learnt from its neighbours and from what is like it. The first channels, which hold
/// brightness and colour, are predicted from their neighbours where that is worth it. Keeps its memory; one
/// thread uses it.
class LatentCoder {
 public:
  LatentCoder();
  LatentCoder(LatentCoder&&) noexcept;
  ~LatentCoder();

  /// Appends to `out`. The number of latents must be that of whole tiles; at most 256 channels.
  void encode(std::span<const int8_t> latents, int channels, std::vector<uint8_t>& out);

  /// Fills `latents`. Throws ProtocolError unless all of `stream` is what they are made of.
  void decode(ByteView stream, int channels, std::span<int8_t> latents);

 private:
  LatentModel& begin(int channels, uint32_t predicted);

  std::unique_ptr<LatentModel> model_;
};

}  // namespace latentdesk
