#include "server/x11_cursor.h"

#include <algorithm>

#include <X11/extensions/Xfixes.h>
#undef CursorShape  // a macro of Xlib

namespace latentdesk {

namespace {

int alpha_of(uint32_t argb) { return static_cast<int>(argb >> 24); }

void blend(uint32_t argb, uint8_t* bgrx) {
  for (int c = 0; c < 3; ++c) {
    const auto colour = static_cast<int>(argb >> (8 * c) & 0xff);
    bgrx[c] = static_cast<uint8_t>(std::min(255, colour + bgrx[c] * (255 - alpha_of(argb)) / 255));
  }
}

void append_straight(uint32_t argb, std::vector<uint8_t>& bgra) {
  const int alpha = alpha_of(argb);
  for (int c = 0; c < 3; ++c) {
    const auto colour = static_cast<int>(argb >> (8 * c) & 0xff);
    bgra.push_back(static_cast<uint8_t>(alpha == 0 ? 0 : std::min(255, (colour * 255 + alpha / 2) / alpha)));
  }
  bgra.push_back(static_cast<uint8_t>(alpha));
}

}  // namespace

std::shared_ptr<const CursorPicture> cursor_picture(X11Connection& connection) {
  const XPointer<XFixesCursorImage> image(XFixesGetCursorImage(connection.get()));
  connection.check();
  if (!image) return nullptr;
  auto cursor = std::make_shared<CursorPicture>();
  cursor->size = {image->width, image->height};
  cursor->left = image->x - image->xhot;
  cursor->top = image->y - image->yhot;
  cursor->hot_x = image->xhot;
  cursor->hot_y = image->yhot;
  cursor->pixels.assign(image->pixels, image->pixels + cursor->size.pixels());
  return cursor;
}

void draw_cursor(const CursorPicture& cursor, MutableImageView image) {
  const int first_x = std::max(0, -cursor.left);
  const int end_x = std::min(cursor.size.width, image.size.width - cursor.left);
  const int first_y = std::max(0, -cursor.top);
  const int end_y = std::min(cursor.size.height, image.size.height - cursor.top);
  for (int y = first_y; y < end_y; ++y) {
    const uint32_t* row = &cursor.pixels[static_cast<size_t>(y) * static_cast<size_t>(cursor.size.width)];
    for (int x = first_x; x < end_x; ++x)
      blend(row[x], image.row(cursor.top + y) + (cursor.left + x) * kBytesPerPixel);
  }
}

CursorShape cursor_shape(const CursorPicture& cursor) {
  const auto can_be_seen = [](uint32_t argb) { return alpha_of(argb) != 0; };
  if (std::none_of(cursor.pixels.begin(), cursor.pixels.end(), can_be_seen)) return {};
  CursorShape shape;
  shape.size = {std::min(cursor.size.width, kMaxCursorSide), std::min(cursor.size.height, kMaxCursorSide)};
  shape.hot_x = std::clamp(cursor.hot_x, 0, shape.size.width - 1);
  shape.hot_y = std::clamp(cursor.hot_y, 0, shape.size.height - 1);
  shape.pixels.reserve(shape.size.pixels() * kBytesPerPixel);
  for (int y = 0; y < shape.size.height; ++y) {
    const uint32_t* row = &cursor.pixels[static_cast<size_t>(y) * static_cast<size_t>(cursor.size.width)];
    std::for_each(row, row + shape.size.width, [&](uint32_t argb) { append_straight(argb, shape.pixels); });
  }
  return shape;
}

}  // namespace latentdesk
