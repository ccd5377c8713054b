#pragma once

#include "server/capture.h"

#include <memory>
#include <string>

namespace latentdesk {

struct X11CaptureOptions {
  std::string display;  ///< as in $DISPLAY; empty for that
  bool cursor = true;   ///< tell of the pointer, which is never in the picture, when it is wanted
};

/// Captures a screen: XDamage says when, XShm how, plain XGetImage where shared memory does not reach.
/// Throws CaptureLost when there is no such display, std::runtime_error when its pixels are not 32-bit BGRX.
std::unique_ptr<Capture> open_x11_capture(const X11CaptureOptions& options);

}  // namespace latentdesk
