#pragma once

#include "client/stream.h"
#include "client/viewer_stats.h"
#include "common/clock.h"

#include <spdlog/common.h>

#include <string>
#include <vector>

namespace latentdesk {

/// Statistics as text and JSON, for people and programs. All of it on the main thread.

/// The JSON object of --stats-json; `device` is what decoded, or "none".
std::string to_json(const RunSummary& run, const std::string& device, const std::string& model);

/// The window's overlay, a few figures a line.
std::vector<std::string> overlay_lines(const Stream& stream);

/// Prints to standard output while the stream runs: frames one by one at level debug, at most one a second at
/// level info, and a summary for every 100 frames.
class Reporter {
 public:
  Reporter(const Stream& stream, spdlog::level::level_enum level) : stream_(stream), level_(level) {}

  /// After a picture was presented.
  void report();
  /// Nothing when no frame came since the last summary.
  void print_summary();

 private:
  bool wants_line() const;

  const Stream& stream_;
  const spdlog::level::level_enum level_;
  SteadyTime last_line_;
  uint64_t summarised_frames_ = 0;
};

}  // namespace latentdesk
