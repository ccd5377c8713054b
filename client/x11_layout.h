#pragma once

#include "client/key_translator.h"

#include <SDL2/SDL_video.h>

#include <memory>

namespace latentdesk {

/// What the X server's keyboard map gives a key: SDL tells keys and text, but neither the character of a key
/// that is pressed with Control and Shift, nor whether the right Alt key is AltGr. Main thread.
class X11Layout {
 public:
  explicit X11Layout(SDL_Window& window);
  ~X11Layout();

  /// As `Layout`; always 0 where the window is not X11's.
  uint32_t keysym(const KeyStroke& key) const;
  /// The map has changed (SDL_KEYMAPCHANGED).
  void reload();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;  ///< null where the window is not X11's
};

}  // namespace latentdesk
