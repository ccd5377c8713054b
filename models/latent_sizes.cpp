// Tells models/evaluate.py how many bytes the stream makes of latents. Standard input: for each picture two
// int32, channels and tiles, then its int8 latents [channel][tile][8][8]; standard output: a line with the
// bytes.

#include "common/stream/latent_coding.h"

#include <cstdint>
#include <cstdio>
#include <exception>
#include <vector>

namespace {

constexpr int32_t kMaxChannels = 256, kMaxTiles = 65536;
constexpr size_t kPositions = 64;  // of a tile

bool read(void* out, size_t bytes) { return std::fread(out, 1, bytes, stdin) == bytes; }

int answer_all() {
  latentdesk::LatentCoder coder;
  std::vector<int8_t> latents;
  std::vector<uint8_t> coded;
  for (int32_t shape[2]; read(shape, sizeof(shape));) {
    const auto [channels, tiles] = shape;
    if (channels < 1 || channels > kMaxChannels || tiles < 1 || tiles > kMaxTiles) return 1;
    latents.resize(static_cast<size_t>(channels) * static_cast<size_t>(tiles) * kPositions);
    if (!read(latents.data(), latents.size())) return 1;
    coded.clear();
    coder.encode(latents, channels, coded);
    std::printf("%zu\n", coded.size());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main() {
  try {
    return answer_all();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "latent_sizes: %s\n", error.what());
    return 1;
  }
}
