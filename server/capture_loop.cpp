#include "server/capture_loop.h"

#include <spdlog/spdlog.h>

#include <string>

namespace latentdesk {

namespace {
constexpr auto kRetryPeriod = std::chrono::seconds(1);
// Programs paint a change by several requests, such as a scroll and the new line. Half of them would be an
// update that the next one makes old.
constexpr auto kSettle = std::chrono::microseconds(500);
}  // namespace

CaptureLoop::CaptureLoop(Open open, double max_fps, Demand& demand, Latest<Frame>& frames, Doorbell& bell)
    : open_(std::move(open)),
      period_(std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(1 / max_fps))),
      demand_(demand),
      frames_(frames),
      bell_(bell) {}

void CaptureLoop::run() {
  auto capture = open_();
  while (!stopping_) {
    try {
      capture_until_lost(*capture);
    } catch (const CaptureLost& lost) {
      spdlog::warn("{}", lost.what());
      capture.reset();
      capture = reopen();
      refresh_ = true;
    }
  }
}

void CaptureLoop::stop() {
  stopping_ = true;
  wake_.signal();
}

void CaptureLoop::refresh() {
  refresh_ = true;
  wake_.signal();
}

void CaptureLoop::want_cursor(bool wanted) {
  cursor_wanted_ = wanted;
  wake_.signal();
}

void CaptureLoop::capture_until_lost(Capture& capture) {
  const auto pool = make_pool(capture);
  spdlog::info("capturing {}, {}x{}", capture.description(), capture.size().width, capture.size().height);
  bool changed = false;
  SteadyTime earliest{};
  while (!stopping_) {
    // Demand first: a refresh is asked for before the demand that it comes with, and must not be met twice.
    const bool wanted = demand_.is_open();
    changed |= refresh_.exchange(false);
    capture.watch_cursor(cursor_wanted_);
    const bool due = changed && wanted;
    if (due && SteadyClock::now() >= earliest) {
      earliest = SteadyClock::now() + period_;
      grab(capture, pool);
      changed = false;
    } else {
      const bool more = capture.wait(wake_.fd(), due ? std::optional(earliest) : std::nullopt);
      if (more && !changed) earliest = std::max(earliest, SteadyClock::now() + kSettle);
      changed |= more;
      wake_.clear();
    }
  }
}

std::shared_ptr<FramePool> CaptureLoop::make_pool(Capture& capture) {
  auto buffers = capture.make_buffers(kFramesInFlight);
  std::vector<std::shared_ptr<void>> pins;
  for (const auto& buffer : buffers) {
    const MutableImageView view = buffer->view();
    const size_t bytes = view.stride * static_cast<size_t>(view.size.height);
    if (pin_) pins.push_back(pin_({view.data, bytes}));
  }
  return std::make_shared<FramePool>(std::move(buffers), std::move(pins));
}

void CaptureLoop::grab(Capture& capture, const std::shared_ptr<FramePool>& pool) {
  auto buffer = pool->take();
  if (!buffer) return refresh();  // all out for a moment, while one is being replaced
  capture.grab(*buffer);
  Frame frame(pool, std::move(buffer));
  frame.timestamp = epoch_seconds();
  frame.cursor = capture.cursor();
  frames_.put(std::move(frame));
  bell_.ring();
}

std::unique_ptr<Capture> CaptureLoop::reopen() {
  std::string complaint;
  while (!stopping_) {
    try {
      return open_();
    } catch (const CaptureLost& lost) {
      if (complaint != lost.what()) spdlog::warn("{}; trying again each second", lost.what());
      complaint = lost.what();
    }
    wait_readable(-1, wake_.fd(), SteadyClock::now() + kRetryPeriod);
    wake_.clear();
  }
  return nullptr;
}

}  // namespace latentdesk
