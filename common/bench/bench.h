#pragma once

#include "common/codec/codec.h"
#include "common/stats.h"

#include <cstdint>
#include <string>
#include <vector>

namespace latentdesk {

struct BenchOptions {
  std::string source;  ///< raw:FILE
  Size size;
  double fps = 15;  ///< of the recording; the codec runs as fast as it can
  int quality = 55;
  std::string model;    ///< path
  std::string decoded;  ///< where to write what a viewer would show, packed BGR0; empty for nowhere
  int threads = 0;      ///< of the CPU backend
};

struct BenchResult {
  uint64_t frames = 0;
  uint64_t bytes = 0;  ///< of whole messages
  uint64_t first_bytes = 0;
  double psnr = 0;
  double ssim = 0;
  double fps = 0;                        ///< frames a second of all four stages, one after the other
  Samples encode, pack, unpack, decode;  ///< ms
};

/// Times both ends on synthetic pictures of `sizes` and on batches of tiles, beside what their work costs at
/// least; prints a table, and writes JSON to `json_path` unless that is empty.
void run_timings(const std::vector<Size>& sizes, const Model& model, const Backend& backend, int threads,
                 const std::string& json_path);

/// Encodes, packs, unpacks and decodes every frame of the recording, dropping none. Prints progress to stderr
/// when that is a terminal.
BenchResult run_bench(const BenchOptions& options, const Model& model, const Backend& backend);

}  // namespace latentdesk
