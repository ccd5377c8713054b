#pragma once

#include "common/clock.h"

#include <algorithm>
#include <chrono>

namespace latentdesk {

/// Keeps the share of a device's time under a limit by spacing the frames: a frame that took t of it makes
/// the next one wait until t / share after its own begin. One thread uses it.
class GpuBudget {
 public:
  /// `percent` above 0, up to 100.
  explicit GpuBudget(double percent) : share_(percent / 100) {}

  /// A frame is done at `now`, which kept the device busy for `device_ms` before; 0 on the CPU.
  void spend(double device_ms, SteadyTime now) {
    const auto busy = duration(device_ms);
    earliest_ = std::max(earliest_, now - busy) + duration(device_ms / share_);
    spent_ms_ += device_ms;
  }

  /// Before this no frame may begin.
  SteadyTime earliest() const { return earliest_; }

  /// Percent of the time since this was last asked, or since the beginning, that the device was kept busy.
  double used_percent(SteadyTime now) {
    const double elapsed = milliseconds(now - counted_from_);
    const double used = elapsed > 0 ? 100 * spent_ms_ / elapsed : 0;
    counted_from_ = now;
    spent_ms_ = 0;
    return used;
  }

 private:
  static SteadyClock::duration duration(double ms) {
    return std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double, std::milli>(ms));
  }

  double share_;
  SteadyTime earliest_{};
  SteadyTime counted_from_ = SteadyClock::now();
  double spent_ms_ = 0;
};

}  // namespace latentdesk
