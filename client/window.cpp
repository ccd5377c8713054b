#include "client/window.h"

#include "client/desk.h"
#include "client/hot_keys.h"
#include "client/native_window.h"
#include "client/png.h"
#include "client/renderer.h"
#include "client/window_text.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

namespace latentdesk {

namespace {

using namespace std::chrono_literals;

constexpr auto kNoticeTime = 3s;

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
      : window_(window),
        stream_(stream),
        reporter_(reporter),
        desk_(window.config.desk, stream, window.native, window.renderer) {}

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
    window_.native.set_title(window_title(window_.config.server, status, picture_.info.size, desk_.role()));
    renderer.clear();
    renderer.draw_picture(/*dimmed=*/status.state != ConnectionStatus::State::connected);
    desk_.draw_pointer();
    if (shows_statistics_) renderer.draw_text(overlay_lines(stream_), Place::top_left);
    renderer.draw_text(status_lines(window_.config.server, status, picture_.info.size), Place::centre);
    if (notice_ends_) {
      renderer.draw_text({notice_}, Place::bottom);
    } else if (shows_help_) {
      renderer.draw_text({kHotKeyHelp.begin(), kHotKeyHelp.end()}, Place::bottom);
    }
    renderer.present();
  }

  /// Blocks until there is something to do, and does what SDL has to tell.
  void wait_for_events() {
    SDL_Event event;
    if (SDL_WaitEventTimeout(&event, patience_ms()) == 1) {
      do {
        handle(event);
      } while (SDL_PollEvent(&event) == 1);
    }
    if (desk_.end_turn(picture_.info.size)) needs_drawing_ = true;
    if (const auto notice = desk_.take_notice()) notify(*notice);
    if (notice_ends_ && SteadyClock::now() >= *notice_ends_) {
      notice_ends_.reset();
      needs_drawing_ = true;
    }
  }

  /// Until something is due though nothing happens; -1: for ever.
  int patience_ms() const {
    std::optional<SteadyTime> next = desk_.next_deadline();
    if (notice_ends_ && (!next || *notice_ends_ < *next)) next = notice_ends_;
    if (!next) return -1;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - SteadyClock::now());
    return static_cast<int>(std::clamp<int64_t>(wait.count(), 0, 60'000));
  }

  void handle(const SDL_Event& event) {
    if (event.type == SDL_QUIT) quit_ = true;
    if (event.type == SDL_WINDOWEVENT) needs_drawing_ = true;
    if (event.type == window_.wake_event) {
      window_.wake_pending = false;  // before the stream is looked at, so that nothing is missed
      needs_drawing_ = true;
    } else if (const auto action = hot_key_of(event)) {
      desk_.let_go();
      if (event.key.repeat == 0) act(*action);
    } else {
      desk_.handle(event);
    }
  }

  static std::optional<HotKey> hot_key_of(const SDL_Event& event) {
    if (event.type != SDL_KEYDOWN) return std::nullopt;
    return hot_key({event.key.keysym.scancode, event.key.keysym.sym, event.key.keysym.mod});
  }

  void act(HotKey action) {
    needs_drawing_ = true;
    switch (action) {
      case HotKey::full_screen:
        return window_.native.toggle_full_screen();
      case HotKey::control:
        return desk_.toggle_control();
      case HotKey::grab:
        return desk_.toggle_grab();
      case HotKey::secure_attention:
        return desk_.send_ctrl_alt_del();
      case HotKey::help:
        shows_help_ = !shows_help_;
        return;
      case HotKey::statistics:
        shows_statistics_ = !shows_statistics_;
        return;
      case HotKey::screenshot:
        return save_screenshot();
      case HotKey::quit:
        quit_ = true;
        return;
    }
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

  /// Shown for a while.
  void notify(const std::string& text) {
    spdlog::info("{}", text);
    notice_ = text;
    notice_ends_ = SteadyClock::now() + kNoticeTime;
    needs_drawing_ = true;
  }

  Impl& window_;
  Stream& stream_;
  Reporter& reporter_;
  Desk desk_;
  Picture picture_;  ///< the last one that was shown
  bool needs_drawing_ = true;
  bool shows_help_ = false;
  bool shows_statistics_ = false;
  bool quit_ = false;
  std::string notice_;
  std::optional<SteadyTime> notice_ends_;  ///< while it is shown
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
