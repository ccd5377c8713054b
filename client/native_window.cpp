#include "client/native_window.h"

#include <algorithm>
#include <stdexcept>

namespace latentdesk {

namespace {

constexpr Size kSizeBeforePicture{960, 540};

}  // namespace

void check_sdl(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string(what) + ": " + SDL_GetError());
}

SdlVideo::SdlVideo() {
  SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");                  // EndWatch has its own
  SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");  // other windows of the desktop live on
  SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
  SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");  // a click means what it hits
  SDL_SetHint(SDL_HINT_IME_SHOW_UI, "1");
  check_sdl(SDL_Init(SDL_INIT_VIDEO) == 0, "no window can be opened (--headless needs none)");
}

SdlVideo::~SdlVideo() { SDL_Quit(); }

NativeWindow::NativeWindow(bool full_screen)
    : window_(SDL_CreateWindow("latentdesk", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED,
                               kSizeBeforePicture.width, kSizeBeforePicture.height,
                               SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI)) {
  check_sdl(window_ != nullptr, "no window can be opened (--headless needs none)");
  SDL_StartTextInput();
  if (full_screen) toggle_full_screen();
}

void NativeWindow::fit(Size picture) {
  SDL_Rect room{};
  SDL_GetDisplayUsableBounds(SDL_GetWindowDisplayIndex(window_.get()), &room);
  const double factor = std::min({points_per_pixel(), static_cast<double>(room.w) / picture.width,
                                  static_cast<double>(room.h) / picture.height});
  SDL_SetWindowSize(window_.get(), static_cast<int>(picture.width * factor),
                    static_cast<int>(picture.height * factor));
  SDL_SetWindowPosition(window_.get(), SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED);
}

void NativeWindow::set_title(const std::string& title) {
  if (title == title_) return;  // each call goes to the window manager
  title_ = title;
  SDL_SetWindowTitle(window_.get(), title.c_str());
}

void NativeWindow::toggle_full_screen() {
  const bool is_full = (SDL_GetWindowFlags(window_.get()) & SDL_WINDOW_FULLSCREEN_DESKTOP) != 0;
  const Uint32 windowed = 0;
  const Uint32 full = SDL_WINDOW_FULLSCREEN_DESKTOP;
  SDL_SetWindowFullscreen(window_.get(), is_full ? windowed : full);
}

void NativeWindow::grab_keyboard(bool grabs) {
  SDL_SetWindowKeyboardGrab(window_.get(), grabs ? SDL_TRUE : SDL_FALSE);
}

bool NativeWindow::has_keyboard() const {
  return (SDL_GetWindowFlags(window_.get()) & SDL_WINDOW_INPUT_FOCUS) != 0;
}

double NativeWindow::points_per_pixel() const {
  int points = 0;
  int pixels = 0;
  SDL_GetWindowSize(window_.get(), &points, nullptr);
  SDL_GetWindowSizeInPixels(window_.get(), &pixels, nullptr);
  return static_cast<double>(points) / pixels;
}

}  // namespace latentdesk
