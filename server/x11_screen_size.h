#pragma once

#include "common/image.h"
#include "server/x11_connection.h"

namespace latentdesk {

/// Whether the server lets its screen have other sizes: RandR 1.3, and one output or none that shows
/// something.
bool can_resize(X11Connection& connection);

/// Gives the screen this size, or the next one that the server takes: within its range, and where it takes no
/// new mode, the largest that it has within `wished`. False when nothing has changed.
bool resize_screen(X11Connection& connection, Size wished);

}  // namespace latentdesk
