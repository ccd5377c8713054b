#pragma once

#include "common/clock.h"
#include "common/deflate.h"

#include <functional>
#include <limits>

namespace latentdesk {

/// The time that a frame has until the next one, by a clock; or as if none had passed, so that what depends
/// on it is the same on every machine. One thread uses it.
class FrameTime {
 public:
  using Clock = std::function<SteadyTime()>;

  /// Frames of `ms`; without limit by default. No `clock`: their time does not pass.
  explicit FrameTime(double ms = std::numeric_limits<double>::infinity(), Clock clock = nullptr)
      : ms_(ms), clock_(std::move(clock)) {}

  /// A picture begins its frame.
  void begin() {
    if (clock_) begin_ = clock_();
  }
  /// Work begins for a picture that may have been there for long: when its frame is over and no other picture
  /// has come, the work has a frame of its own.
  void go_on() {
    if (left_ms() <= 0) begin();
  }
  /// 0 or less when it is over.
  double left_ms() const { return clock_ ? ms_ - milliseconds(clock_() - begin_) : ms_; }

  double length_ms() const { return ms_; }
  bool passes() const { return clock_ != nullptr; }

 private:
  double ms_;
  Clock clock_;
  SteadyTime begin_{};
};

/// Chooses how DEFLATE looks for repetition, so that it ends in time, from what it took before. One thread
/// uses it.
class PackingPace {
 public:
  /// The most thorough for so many bytes within `ms`; `runs` when none is quick enough.
  Compression choose(size_t bytes, double ms) const;
  /// What one took, by which it is known how slow the machine is now.
  void took(Compression compression, size_t bytes, double ms);

 private:
  double slowness_ = 1;  ///< times that of the machine on which the figures were taken
};

}  // namespace latentdesk
