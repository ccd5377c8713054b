#pragma once

#include "client/native_window.h"
#include "client/view_fit.h"
#include "common/image.h"
#include "common/stream/messages.h"

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

  /// Takes over the pixels that `draw_cursor` shows from now on.
  void set_cursor(const CursorShape& shape);

  void clear();
  /// As large as fits, keeping the aspect; nothing before the first `set_picture`.
  void draw_picture(bool dimmed);
  /// The cursor with its upper left corner at this pixel of the picture; nothing when it is hidden.
  void draw_cursor(ViewFit::Point corner);
  /// ASCII lines on a translucent box; those too long for the window are wrapped.
  void draw_text(const std::vector<std::string>& lines, Place place);
  void present();

  Size output_size() const;
  /// Where the picture is drawn now.
  ViewFit fit() const;

 private:
  int text_scale() const;

  SdlRenderer renderer_;
  SdlTexture texture_;
  SdlTexture cursor_;  ///< null while it is hidden
  Size picture_size_;
  Size cursor_size_;
};

}  // namespace latentdesk
