#pragma once

#include "common/image.h"
#include "common/stream/messages.h"
#include "server/x11_connection.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace latentdesk {

/// The pointer as it is at one moment.
struct CursorPicture {
  Size size;
  int left = 0, top = 0;         ///< where its picture is on the screen; may be outside
  int hot_x = 0, hot_y = 0;      ///< within the picture
  std::vector<uint32_t> pixels;  ///< ARGB, the colours multiplied by alpha, row by row
};

/// Nothing when the server does not tell. From the thread of the connection.
std::shared_ptr<const CursorPicture> cursor_picture(X11Connection& connection);

/// Draws it over `image`, a picture of the whole screen. Any thread.
void draw_cursor(const CursorPicture& cursor, MutableImageView image);

/// As a viewer is told: its colours no longer multiplied, at most kMaxCursorSide a side, 0x0 when nothing of
/// it can be seen.
CursorShape cursor_shape(const CursorPicture& cursor);

}  // namespace latentdesk
