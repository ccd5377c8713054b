// Latents from the bytes of a range coder, by the very code of the native programs.

#include "common/stream/latent_model.h"

inline void* operator new(size_t, void* at) noexcept { return at; }

namespace {

using latentdesk::BasicRangeDecoder;
using latentdesk::LatentModel;

enum Outcome { kDone, kDamaged, kTruncated, kFollowed };

alignas(LatentModel) unsigned char memory[sizeof(LatentModel)];

}  // namespace

/// Fills `out`, int8 [channel][tile][8][8], at most 256 channels: 0; 1: damaged, 2: truncated, 3: followed by
/// more.
extern "C" __attribute__((export_name("latents"))) int latents(const uint8_t* stream, uint32_t size,
                                                               int8_t* out, int channels, int tiles) {
  BasicRangeDecoder coder(stream, size);
  auto& model = *new (memory) LatentModel(channels, coder.code_bits(0, LatentModel::kPredicted));
  for (int tile = 0; tile < tiles; ++tile) {
    if (!model.code_tile(coder)) return kDamaged;
    if (coder.is_beyond()) return kTruncated;
    model.give(out + tile * LatentModel::kPositions, static_cast<size_t>(tiles) * LatentModel::kPositions);
  }
  return coder.is_beyond() ? kTruncated : coder.has_more() ? kFollowed : kDone;
}
