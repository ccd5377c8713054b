#pragma once

#include "common/bench/bench.h"
#include "common/stream/update.h"

#include <optional>
#include <vector>

namespace latentdesk {

struct StreamBenchOptions {
  bool refine = true;
  double link_rate = 0;   ///< Mbit/s; 0: no limit
  double link_delay = 0;  ///< ms each way
  int viewers = 1;
};

struct StreamBenchResult : BenchResult {
  PartSizes parts{};               ///< bytes before compression, of all updates of the first viewer
  uint64_t refinement_bytes = 0;   ///< within bytes
  uint64_t updates = 0;            ///< that the first viewer got
  uint64_t skipped = 0;            ///< frames that it never saw, since the link could not take them
  Samples latency{65536};          ///< of the first viewer's updates on the link, ms
  std::vector<double> frame_psnr;  ///< of what the first viewer shows when a frame's time is over
  double exact_ms = 0;             ///< from the last change to a picture that is exact; negative: not reached
  double cpu_ms = 0;               ///< processor time a frame, of both ends
};

/// Plays the recording through the whole stream on the recording's clock: changes, updates, a link, viewers'
/// canvases. Without a link rate nothing is dropped. After the last frame time goes on until all is exact,
/// for 3 s at most. Figures are of the first viewer.
StreamBenchResult run_stream_bench(const BenchOptions& options, const StreamBenchOptions& stream,
                                   const Model& model, const Backend& backend);

}  // namespace latentdesk
