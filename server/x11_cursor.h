#pragma once

#include "common/image.h"
#include "server/x11_connection.h"

namespace latentdesk {

/// Draws the pointer as it is now over `image`, a picture of the whole screen. From the capture thread.
void draw_cursor(X11Connection& connection, MutableImageView image);

}  // namespace latentdesk
