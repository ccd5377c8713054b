#pragma once

#include "common/image.h"

#include <SDL2/SDL.h>

#include <memory>
#include <string>

namespace latentdesk {

// SDL's window and its life, for window.cpp and renderer.cpp. Main thread.

/// Throws std::runtime_error with SDL's own words unless `ok`.
void check_sdl(bool ok, const char* what);

/// Calls an SDL destructor.
template <auto kDestroy>
struct SdlDeleter {
  template <typename T>
  void operator()(T* object) const {
    kDestroy(object);
  }
};

/// SDL's library state, from its first to its last use.
class SdlVideo {
 public:
  SdlVideo();
  ~SdlVideo();
  SdlVideo(const SdlVideo&) = delete;
  SdlVideo& operator=(const SdlVideo&) = delete;
};

class NativeWindow {
 public:
  explicit NativeWindow(bool full_screen);

  SDL_Window& handle() const { return *window_; }

  /// As large as `picture`, or as the display leaves room for.
  void fit(Size picture);
  void set_title(const std::string& title);
  void toggle_full_screen();
  /// The window manager's keys come here too while the window has the keyboard.
  void grab_keyboard(bool grabs);
  bool has_keyboard() const;

 private:
  /// Window coordinates for each pixel; below 1 on displays of high density.
  double points_per_pixel() const;

  const SdlVideo video_;
  const std::unique_ptr<SDL_Window, SdlDeleter<SDL_DestroyWindow>> window_;
  std::string title_;
};

}  // namespace latentdesk
