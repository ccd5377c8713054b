#pragma once

#include "common/clock.h"
#include "common/image.h"

#include <optional>

namespace latentdesk {

/// Decides when the server is asked for a screen of the window's size: once that has rested for a while, so
/// that a window that is being dragged does not resize the screen at every step. Any thread, one at a time.
class SizeWisher {
 public:
  /// The window has this size in pixels now.
  void window_is(Size size, SteadyTime now);
  /// A server is there that has not been asked.
  void begin_anew() { asked_ = {}; }

  /// The size to ask for now, once; `screen` is what the remote screen has.
  std::optional<Size> due(Size screen, SteadyTime now);
  /// When `due` is worth asking again.
  std::optional<SteadyTime> next() const;

 private:
  Size window_;
  Size asked_;
  SteadyTime since_;
};

}  // namespace latentdesk
