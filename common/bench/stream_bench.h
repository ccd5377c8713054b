#pragma once

#include "common/bench/bench.h"
#include "common/stream/update.h"

#include <optional>
#include <vector>

namespace latentdesk {

struct StreamBenchOptions {
  bool refine = true;
};

struct StreamBenchResult : BenchResult {
  PartSizes parts{};              ///< bytes before compression, of all updates
  uint64_t refinement_bytes = 0;  ///< within bytes
  std::vector<double> frame_psnr;
};

/// Plays the recording through the whole stream on the recording's clock: changes, updates, a viewer's
/// canvas. Drops nothing.
StreamBenchResult run_stream_bench(const BenchOptions& options, const StreamBenchOptions& stream,
                                   const Model& model, const Backend& backend);

}  // namespace latentdesk
