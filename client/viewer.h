#pragma once

#include "client/options.h"

namespace latentdesk {

/// The viewer from start to end: threads, window or headless loop, and what is written at the end. Main
/// thread. Throws when it cannot start, when no picture came, and when a thread failed.
void run_viewer(const ViewerOptions& options);

}  // namespace latentdesk
