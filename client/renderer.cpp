#include "client/renderer.h"

#include <SDL2/SDL2_gfxPrimitives.h>

#include <algorithm>
#include <cmath>

namespace latentdesk {

namespace {

constexpr int kGlyph = 8;  // SDL2_gfx's font has 8x8 glyphs
constexpr int kLineHeight = 12;
constexpr int kMargin = 8;
constexpr int kLargeWindow = 1600;  // from this width text is drawn at twice its size
constexpr Uint8 kDimmed = 90;       // of 255

/// Breaks at the last space that fits, else in the word.
void append_wrapped(std::vector<std::string>& lines, std::string line, size_t columns) {
  while (line.size() > columns) {
    const size_t space = line.rfind(' ', columns);
    const bool in_word = space == std::string::npos || space == 0;
    lines.push_back(line.substr(0, in_word ? columns : space));
    line.erase(0, in_word ? columns : space + 1);
  }
  lines.push_back(std::move(line));
}

SDL_Rect text_box(const std::vector<std::string>& lines, Size output, Place place) {
  size_t columns = 0;
  for (const std::string& line : lines) columns = std::max(columns, line.size());
  const int width = static_cast<int>(columns) * kGlyph + 2 * kMargin;
  const int height = static_cast<int>(lines.size()) * kLineHeight + 2 * kMargin;
  if (place == Place::top_left) return {kMargin, kMargin, width, height};
  const int left = (output.width - width) / 2;
  if (place == Place::centre) return {left, (output.height - height) / 2, width, height};
  return {left, output.height - height - kMargin, width, height};
}

}  // namespace

Renderer::Renderer(SDL_Window& window) : renderer_(SDL_CreateRenderer(&window, -1, 0)) {
  check_sdl(renderer_ != nullptr, "no renderer for the window");
  SDL_SetRenderDrawBlendMode(renderer_.get(), SDL_BLENDMODE_BLEND);
}

void Renderer::set_picture(ImageView picture) {
  if (!texture_ || picture.size != picture_size_) {
    texture_.reset(SDL_CreateTexture(renderer_.get(), SDL_PIXELFORMAT_XRGB8888, SDL_TEXTUREACCESS_STREAMING,
                                     picture.size.width, picture.size.height));
    check_sdl(texture_ != nullptr, "the picture does not fit into a texture");
    picture_size_ = picture.size;
  }
  SDL_UpdateTexture(texture_.get(), nullptr, picture.data, static_cast<int>(picture.stride));
}

void Renderer::clear() {
  SDL_SetRenderDrawColor(renderer_.get(), 24, 24, 24, 255);
  SDL_RenderClear(renderer_.get());
}

void Renderer::draw_picture(bool dimmed) {
  if (!texture_) return;
  const ViewFit view = fit();
  const bool is_exact = view.factor() == std::floor(view.factor());
  SDL_SetTextureScaleMode(texture_.get(), is_exact ? SDL_ScaleModeNearest : SDL_ScaleModeLinear);
  const Uint8 brightness = dimmed ? kDimmed : 255;
  SDL_SetTextureColorMod(texture_.get(), brightness, brightness, brightness);
  const auto [x, y, width, height] = view.target();
  const SDL_Rect target{x, y, width, height};
  SDL_RenderCopy(renderer_.get(), texture_.get(), nullptr, &target);
}

void Renderer::set_cursor(const CursorShape& shape) {
  cursor_.reset();
  cursor_size_ = shape.size;
  if (shape.size == Size{}) return;
  cursor_.reset(SDL_CreateTexture(renderer_.get(), SDL_PIXELFORMAT_BGRA32, SDL_TEXTUREACCESS_STATIC,
                                  shape.size.width, shape.size.height));
  check_sdl(cursor_ != nullptr, "no texture for the pointer");
  SDL_SetTextureBlendMode(cursor_.get(), SDL_BLENDMODE_BLEND);
  SDL_UpdateTexture(cursor_.get(), nullptr, shape.pixels.data(), shape.size.width * kBytesPerPixel);
}

void Renderer::draw_cursor(ViewFit::Point corner) {
  if (!cursor_ || !texture_) return;
  const ViewFit view = fit();
  const auto [x, y] = view.to_output(corner);
  const auto scaled = [&](int side) { return static_cast<int>(std::lround(side * view.factor())); };
  const SDL_Rect target{x, y, scaled(cursor_size_.width), scaled(cursor_size_.height)};
  SDL_RenderCopy(renderer_.get(), cursor_.get(), nullptr, &target);
}

void Renderer::draw_text(const std::vector<std::string>& lines, Place place) {
  if (lines.empty()) return;
  const int scale = text_scale();
  const Size output{output_size().width / scale, output_size().height / scale};
  const int columns = std::max(1, output.width / kGlyph - 6);
  std::vector<std::string> wrapped;
  for (const std::string& line : lines) append_wrapped(wrapped, line, static_cast<size_t>(columns));

  SDL_RenderSetScale(renderer_.get(), static_cast<float>(scale), static_cast<float>(scale));
  const SDL_Rect box = text_box(wrapped, output, place);
  SDL_SetRenderDrawColor(renderer_.get(), 0, 0, 0, 176);
  SDL_RenderFillRect(renderer_.get(), &box);
  int y = box.y + kMargin + (kLineHeight - kGlyph) / 2;
  for (const std::string& line : wrapped) {
    const int indent =
        place == Place::top_left ? 0 : (box.w - 2 * kMargin - static_cast<int>(line.size()) * kGlyph) / 2;
    stringRGBA(renderer_.get(), static_cast<Sint16>(box.x + kMargin + indent), static_cast<Sint16>(y),
               line.c_str(), 255, 255, 255, 255);
    y += kLineHeight;
  }
  SDL_RenderSetScale(renderer_.get(), 1, 1);
}

void Renderer::present() { SDL_RenderPresent(renderer_.get()); }

Size Renderer::output_size() const {
  Size size;
  SDL_GetRendererOutputSize(renderer_.get(), &size.width, &size.height);
  return size;
}

ViewFit Renderer::fit() const {
  if (!texture_) return {};
  Size points;
  SDL_GetWindowSize(SDL_RenderGetWindow(renderer_.get()), &points.width, &points.height);
  return {picture_size_, output_size(), points};
}

int Renderer::text_scale() const { return output_size().width >= kLargeWindow ? 2 : 1; }

}  // namespace latentdesk
