#include "client/cursor.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

namespace latentdesk {

namespace {

/// The pixels of a side that a pixel of the scaled side covers; at least one.
struct Span {
  int begin, end;
};

Span covered(int index, int scaled_side, int side) {
  const int begin = std::min(index * side / scaled_side, side - 1);
  return {begin, std::clamp((index + 1) * side / scaled_side, begin + 1, side)};
}

void average(const CursorShape& shape, Span columns, Span rows, uint8_t* out) {
  unsigned sums[3] = {}, alpha = 0, count = 0;
  for (int y = rows.begin; y < rows.end; ++y) {
    for (int x = columns.begin; x < columns.end; ++x, ++count) {
      const uint8_t* pixel =
          &shape.pixels[4 * (static_cast<size_t>(y) * static_cast<size_t>(shape.size.width) +
                             static_cast<size_t>(x))];
      for (int channel = 0; channel < 3; ++channel) sums[channel] += unsigned{pixel[channel]} * pixel[3];
      alpha += pixel[3];
    }
  }
  for (int channel = 0; channel < 3; ++channel)
    out[channel] = static_cast<uint8_t>(alpha == 0 ? 0 : sums[channel] / alpha);
  out[3] = static_cast<uint8_t>(alpha / count);
}

int scaled_side(int side, double factor) {
  return static_cast<int>(std::clamp(std::round(side * factor), 1.0, double{kMaxCursorSide}));
}

/// SDL 2 hands X11 the pixels as they are, and X11 wants them multiplied by alpha. On other systems SDL does
/// that, and what runs SDL 2's programs on SDL 3 (versions 2.x.50 and later) does it everywhere.
bool wants_multiplied() {
  const char* driver = SDL_GetCurrentVideoDriver();
  SDL_version version;
  SDL_GetVersion(&version);
  return driver && std::string_view(driver) == "x11" && version.patch < 50;
}

void multiply_by_alpha(std::vector<uint8_t>& pixels) {
  for (size_t i = 0; i < pixels.size(); i += 4) {
    for (size_t channel = 0; channel < 3; ++channel)
      pixels[i + channel] = static_cast<uint8_t>((pixels[i + channel] * pixels[i + 3] + 127) / 255);
  }
}

}  // namespace

CursorShape scaled_cursor(const CursorShape& shape, double factor) {
  CursorShape scaled;
  scaled.size = {scaled_side(shape.size.width, factor), scaled_side(shape.size.height, factor)};
  scaled.hot_x = shape.hot_x * scaled.size.width / shape.size.width;
  scaled.hot_y = shape.hot_y * scaled.size.height / shape.size.height;
  scaled.pixels.resize(scaled.size.pixels() * 4);
  uint8_t* out = scaled.pixels.data();
  for (int y = 0; y < scaled.size.height; ++y) {
    for (int x = 0; x < scaled.size.width; ++x, out += 4) {
      average(shape, covered(x, scaled.size.width, shape.size.width),
              covered(y, scaled.size.height, shape.size.height), out);
    }
  }
  return scaled;
}

PointerLook::~PointerLook() { show_own(); }

void PointerLook::set_shape(CursorShape shape) {
  shape_ = std::move(shape);
  known_ = true;
  const double factor = std::exchange(factor_, 0);
  if (factor != 0) show_remote(factor);
}

void PointerLook::show_remote(double factor) {
  if (!known_ || factor == factor_) return;
  factor_ = factor;
  const bool is_visible = shape_.size != Size{};
  SDL_ShowCursor(is_visible ? SDL_ENABLE : SDL_DISABLE);
  if (!is_visible) return;
  CursorShape scaled = scaled_cursor(shape_, factor);
  if (wants_multiplied()) multiply_by_alpha(scaled.pixels);
  const std::unique_ptr<SDL_Surface, SdlDeleter<SDL_FreeSurface>> surface(
      SDL_CreateRGBSurfaceWithFormatFrom(scaled.pixels.data(), scaled.size.width, scaled.size.height, 32,
                                         scaled.size.width * 4, SDL_PIXELFORMAT_BGRA32));
  check_sdl(surface != nullptr, "no picture for the pointer");
  SdlCursor cursor(SDL_CreateColorCursor(surface.get(), scaled.hot_x, scaled.hot_y));
  if (!cursor) return;  // a system without coloured pointers keeps its own
  SDL_SetCursor(cursor.get());
  cursor_ = std::move(cursor);  // the old one goes when it is no longer set
}

void PointerLook::show_own() {
  if (factor_ == 0) return;
  factor_ = 0;
  SDL_SetCursor(SDL_GetDefaultCursor());
  SDL_ShowCursor(SDL_ENABLE);
  cursor_.reset();
}

}  // namespace latentdesk
