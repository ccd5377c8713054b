#pragma once

#include "client/picture.h"
#include "common/stats.h"

#include <cstdint>
#include <mutex>
#include <optional>

namespace latentdesk {

/// One stage, in milliseconds.
struct StageSummary {
  double mean = 0;
  Percentiles percentiles;
};

/// A run from its first frame to its newest.
struct RunSummary {
  uint64_t frames = 0;
  double seconds = 0;
  double fps = 0;  ///< frames after the first one, divided by `seconds`
  uint64_t bytes = 0;
  double bytes_per_frame = 0;
  uint64_t dropped = 0;   ///< frames that came and were never shown, since a newer one came first
  uint64_t connects = 0;  ///< WebSocket handshakes done
  Size size;              ///< of the newest frame
  StageSummary interval;  ///< between two received frames
  StageSummary unpack;
  StageSummary decode;
  StageSummary present;         ///< from decoded to presented
  StageSummary latency;         ///< from capture to presented
  bool clock_measured = false;  ///< latency is by one clock, else by two that are assumed equal
};

/// What changes with each frame, cheap to take.
struct CurrentStats {
  FrameInfo frame;  ///< the newest that was presented
  double fps = 0;   ///< over the newest 60 frames
  double bits_per_second = 0;
  double latency_ms = 0;
  double mean_decode_ms = 0;
};

/// Statistics of a viewer. Any thread; in use the decode thread and the main thread.
class ViewerStats {
 public:
  /// A frame is ready.
  void add_ready(const FrameInfo& frame);
  /// A frame was shown at `presented`, which was `epoch` in seconds.
  void add_presented(const FrameInfo& frame, SteadyTime presented, double epoch);

  CurrentStats current() const;
  /// Sorts the samples: for now and then. Leaves `dropped` and `connects` to the caller.
  RunSummary summary() const;

 private:
  mutable std::mutex mutex_;
  uint64_t frames_ = 0;
  uint64_t bytes_ = 0;
  Size size_;
  SteadyTime first_received_;
  SteadyTime last_received_;
  RateMeter rate_;
  Samples interval_;
  Samples unpack_;
  Samples decode_;
  Samples present_;
  Samples latency_;
  FrameInfo presented_;
};

}  // namespace latentdesk
