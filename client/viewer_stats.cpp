#include "client/viewer_stats.h"

namespace latentdesk {

namespace {

StageSummary summarise(const Samples& samples) { return {samples.mean(), samples.percentiles()}; }

double seconds_between(SteadyTime start, SteadyTime end) {
  return std::chrono::duration<double>(end - start).count();
}

}  // namespace

void ViewerStats::add_ready(const FrameInfo& frame) {
  std::lock_guard lock(mutex_);
  if (frames_ == 0) {
    first_received_ = frame.received;
  } else {
    interval_.add(milliseconds(frame.received - last_received_));
  }
  last_received_ = frame.received;
  ++frames_;
  bytes_ += frame.bytes;
  size_ = frame.size;
  rate_.add(seconds_between(first_received_, frame.received));
  if (frame.decode_ms > 0) {  // else it was only counted
    unpack_.add(frame.unpack_ms);
    decode_.add(frame.decode_ms);
  }
}

void ViewerStats::add_presented(const FrameInfo& frame, SteadyTime presented, double epoch) {
  std::lock_guard lock(mutex_);
  present_.add(milliseconds(presented - frame.ready));
  latency_.add((epoch - frame.timestamp) * 1000);
  presented_ = frame;
}

CurrentStats ViewerStats::current() const {
  std::lock_guard lock(mutex_);
  const double fps = rate_.per_second();
  return {presented_, fps, fps * 8 * static_cast<double>(presented_.bytes), latency_.last(), decode_.mean()};
}

RunSummary ViewerStats::summary() const {
  std::lock_guard lock(mutex_);
  RunSummary run;
  run.frames = frames_;
  run.bytes = bytes_;
  run.size = size_;
  run.seconds = seconds_between(first_received_, last_received_);
  if (run.seconds > 0) run.fps = static_cast<double>(frames_ - 1) / run.seconds;
  if (frames_ > 0) run.bytes_per_frame = static_cast<double>(bytes_) / static_cast<double>(frames_);
  run.interval = summarise(interval_);
  run.unpack = summarise(unpack_);
  run.decode = summarise(decode_);
  run.present = summarise(present_);
  run.latency = summarise(latency_);
  run.clock_measured = presented_.clock_measured;
  return run;
}

}  // namespace latentdesk
