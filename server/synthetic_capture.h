#pragma once

#include "server/capture.h"

#include <memory>
#include <string>

namespace latentdesk {

/// Plays a recording of packed BGR0 frames. Throws std::runtime_error when it cannot be read.
std::unique_ptr<Capture> open_raw_capture(const std::string& path, Size size, double fps, bool loop);

/// A test picture: colour bars, a grey ramp, fine lines and a bar that moves one step each frame.
std::unique_ptr<Capture> open_pattern_capture(Size size, double fps);

}  // namespace latentdesk
