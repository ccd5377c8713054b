#pragma once

#include "client/native_window.h"
#include "common/image.h"

#include <SDL2/SDL.h>

#include <memory>
#include <string>
#include <vector>

namespace latentdesk {

// Draws for window.cpp. Main thread; sizes in pixels of the output.

using SdlRenderer = std::unique_ptr<SDL_Renderer, SdlDeleter<SDL_DestroyRenderer>>;
using SdlTexture = std::unique_ptr<SDL_Texture, SdlDeleter<SDL_DestroyTexture>>;

/// Where a box of text stands.
enum class Place { top_left, centre, bottom };

/// One window's contents: clear, draw, present.
class Renderer {
 public:
  explicit Renderer(SDL_Window& window);

  /// Takes over the pixels that `draw_picture` shows from now on.
  void set_picture(ImageView picture);

  void clear();
  /// As large as fits, keeping the aspect; nothing before the first `set_picture`.
  void draw_picture(bool dimmed);
  /// ASCII lines on a translucent box; those too long for the window are wrapped.
  void draw_text(const std::vector<std::string>& lines, Place place);
  void present();

  Size output_size() const;

 private:
  int text_scale() const;

  SdlRenderer renderer_;
  SdlTexture texture_;
  Size picture_size_;
};

}  // namespace latentdesk
