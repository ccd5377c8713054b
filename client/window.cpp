#include "client/window.h"

#include "client/native_window.h"
#include "client/png.h"
#include "client/renderer.h"
#include "client/window_text.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

namespace latentdesk {

namespace {

using namespace std::chrono_literals;

constexpr auto kNoticeTime = 3s;
constexpr const char* kHelp = "F1 help   F2 statistics   F11 full screen   F12 screenshot   Ctrl+Q quit";

std::string timed_file_name() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char name[64];
  std::strftime(name, sizeof name, "latentdesk-%Y%m%d-%H%M%S.png", &local);
  return name;
}

}  // namespace

class Window::Impl {
 public:
  explicit Impl(WindowConfig window_config)
      : config(std::move(window_config)),
        native(config.full_screen),
        renderer(native.handle()),
        wake_event(SDL_RegisterEvents(1)) {}

  const WindowConfig config;
  NativeWindow native;
  Renderer renderer;
  const Uint32 wake_event;
  std::atomic<bool> wake_pending = false;  ///< any thread
};

/// A stream in the window. What it shows belongs to the stream, so it goes before the stream does.
class Window::Presentation {
 public:
  Presentation(Impl& window, Stream& stream, Reporter& reporter)
      : window_(window), stream_(stream), reporter_(reporter) {}

  Picture run() {
    bool finished = false;
    while (!finished && !quit_) {
      finished = look_at_stream() || stream_.has_ended();
      if (!finished) wait_for_events();
    }
    return std::move(picture_);
  }

 private:
  /// Shows what is new; true when there will be nothing more.
  bool look_at_stream() {
    std::optional<Picture> newest = stream_.pictures().try_take();
    if (newest) accept(std::move(*newest));
    if (newest || needs_drawing_) draw();
    if (!newest) return false;
    stream_.stats().add_presented(picture_.info, SteadyClock::now(), epoch_seconds());
    reporter_.report();
    return stream_.is_last(picture_.info);
  }

  void accept(Picture picture) {
    const bool is_first = !picture_.image;
    picture_ = std::move(picture);
    window_.renderer.set_picture(std::as_const(*picture_.image).view());
    if (is_first) window_.native.fit(picture_.info.size);
  }

  void draw() {
    needs_drawing_ = false;
    const ConnectionStatus status = stream_.status();
    Renderer& renderer = window_.renderer;
    window_.native.set_title(window_title(window_.config.server, status, picture_.info.size));
    renderer.clear();
    renderer.draw_picture(/*dimmed=*/status.state != ConnectionStatus::State::connected);
    if (shows_statistics_) renderer.draw_text(overlay_lines(stream_), Place::top_left);
    renderer.draw_text(status_lines(window_.config.server, status, picture_.info.size), Place::centre);
    if (SteadyClock::now() < notice_end_) {
      renderer.draw_text({notice_}, Place::bottom);
    } else if (shows_help_) {
      renderer.draw_text({kHelp}, Place::bottom);
    }
    renderer.present();
  }

  /// Blocks until there is something to do.
  void wait_for_events() {
    SDL_Event event;
    check_sdl(SDL_WaitEvent(&event) == 1, "waiting for events failed");
    do {
      handle(event);
    } while (SDL_PollEvent(&event) == 1);
  }

  void handle(const SDL_Event& event) {
    if (event.type == SDL_QUIT) quit_ = true;
    if (event.type == SDL_KEYDOWN && event.key.repeat == 0) handle_key(event.key.keysym);
    if (event.type == SDL_WINDOWEVENT) needs_drawing_ = true;
    if (event.type == window_.wake_event) {
      window_.wake_pending = false;  // before the stream is looked at, so that nothing is missed
      needs_drawing_ = true;
    }
  }

  void handle_key(SDL_Keysym key) {
    needs_drawing_ = true;
    if (key.sym == SDLK_F1) shows_help_ = !shows_help_;
    if (key.sym == SDLK_F2) shows_statistics_ = !shows_statistics_;
    if (key.sym == SDLK_F11) window_.native.toggle_full_screen();
    if (key.sym == SDLK_F12) save_screenshot();
    if (key.sym == SDLK_q && (key.mod & KMOD_CTRL) != 0) quit_ = true;
  }

  void save_screenshot() try {
    if (!picture_.image) return notify("There is no picture yet");
    const std::string file =
        window_.config.screenshot_file.empty() ? timed_file_name() : window_.config.screenshot_file;
    write_png(file, std::as_const(*picture_.image).view());
    notify("Saved " + file);
  } catch (const std::exception& error) {
    notify(error.what());
  }

  /// Shown for a while; the server's next frame, within a second, sees to it that it goes.
  void notify(const std::string& text) {
    spdlog::info("{}", text);
    notice_ = text;
    notice_end_ = SteadyClock::now() + kNoticeTime;
  }

  Impl& window_;
  Stream& stream_;
  Reporter& reporter_;
  Picture picture_;  ///< the last one that was shown
  bool needs_drawing_ = true;
  bool shows_help_ = false;
  bool shows_statistics_ = false;
  bool quit_ = false;
  std::string notice_;
  SteadyTime notice_end_;
};

Window::Window(WindowConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Window::~Window() = default;

void Window::wake() {
  if (impl_->wake_pending.exchange(true)) return;  // one event until it is seen: SDL's queue is bounded
  SDL_Event event{};
  event.type = impl_->wake_event;
  SDL_PushEvent(&event);
}

Picture Window::run(Stream& stream, Reporter& reporter) {
  return Presentation(*impl_, stream, reporter).run();
}

}  // namespace latentdesk
