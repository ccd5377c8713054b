#include "server/x11_cursor.h"

#include <algorithm>

#include <X11/extensions/Xfixes.h>

namespace latentdesk {

namespace {

/// `argb` has its colours multiplied by its alpha already.
void blend(unsigned long argb, uint8_t* bgrx) {
  const auto alpha = static_cast<int>(argb >> 24 & 0xff);
  for (int c = 0; c < 3; ++c) {
    const auto colour = static_cast<int>(argb >> (8 * c) & 0xff);
    bgrx[c] = static_cast<uint8_t>(std::min(255, colour + bgrx[c] * (255 - alpha) / 255));
  }
}

}  // namespace

void draw_cursor(X11Connection& connection, MutableImageView image) {
  const XPointer<XFixesCursorImage> cursor(XFixesGetCursorImage(connection.get()));
  if (!cursor) return;
  const int left = cursor->x - cursor->xhot, top = cursor->y - cursor->yhot;
  const int first_x = std::max(0, -left), end_x = std::min<int>(cursor->width, image.size.width - left);
  const int first_y = std::max(0, -top), end_y = std::min<int>(cursor->height, image.size.height - top);
  for (int y = first_y; y < end_y; ++y) {
    for (int x = first_x; x < end_x; ++x) {
      blend(cursor->pixels[y * cursor->width + x], image.row(top + y) + (left + x) * kBytesPerPixel);
    }
  }
}

}  // namespace latentdesk
