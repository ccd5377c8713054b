#pragma once

#include "common/latest.h"
#include "server/capture.h"
#include "server/demand.h"
#include "server/doorbell.h"
#include "server/wake.h"

#include <atomic>
#include <functional>
#include <memory>
#include <span>

namespace latentdesk {

/// Captures when the picture has changed, a viewer can take it and the last one is long enough ago. A source
/// that goes away is opened again until it is back.
class CaptureLoop {
 public:
  using Open = std::function<std::unique_ptr<Capture>()>;

  /// Registers memory with the device that encodes, until the result is destroyed; may give null.
  using Pin = std::function<std::shared_ptr<void>(std::span<uint8_t>)>;

  /// Rings the bell for each frame that it puts.
  CaptureLoop(Open open, double max_fps, Demand& demand, Latest<Frame>& frames, Doorbell& bell);

  /// Set before other threads start; called on the capture thread for each buffer.
  void pin_with(Pin pin) { pin_ = std::move(pin); }

  /// The capture thread's whole life. Throws what `open` throws, but for a CaptureLost after it has succeeded
  /// once.
  void run();

  // Any thread:
  void stop();
  /// Captures even though nothing has changed: somebody has no picture at all.
  void refresh();
  /// Whether frames come with the pointer; at first they do not.
  void want_cursor(bool wanted);
  /// Looks again whether there is demand.
  void wake() { wake_.signal(); }

 private:
  void capture_until_lost(Capture& capture);
  std::shared_ptr<FramePool> make_pool(Capture& capture);
  void grab(Capture& capture, const std::shared_ptr<FramePool>& pool);
  std::unique_ptr<Capture> reopen();

  Open open_;
  Pin pin_;
  SteadyClock::duration period_;
  Demand& demand_;
  Latest<Frame>& frames_;
  Doorbell& bell_;
  Wake wake_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> refresh_{true};
  std::atomic<bool> cursor_wanted_{false};
};

}  // namespace latentdesk
