#include "client/desk.h"

#include "client/window_text.h"
#include "common/protocol.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace latentdesk {

namespace {

using namespace std::chrono_literals;

// Of docs/protocol.md: a viewer that holds something down and is silent for 2 s is taken for dead.
constexpr auto kPingPeriod = 500ms;

constexpr uint32_t kControlL = 0xffe3;
constexpr uint32_t kAltL = 0xffe9;
constexpr uint32_t kDelete = 0xffff;

KeyStroke key_stroke(const SDL_Keysym& key) { return {key.scancode, key.sym, key.mod}; }

}  // namespace

Desk::Desk(const DeskOptions& options, Stream& stream, NativeWindow& window, Renderer& renderer)
    : options_(options),
      stream_(stream),
      window_(window),
      renderer_(renderer),
      layout_(window.handle()),
      input_([this](const KeyStroke& key) { return layout_.keysym(key); }),
      grabs_(options.grab_keyboard) {}

void Desk::handle(const SDL_Event& event) {
  switch (event.type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP:
      return handle_key(event.key);
    case SDL_TEXTINPUT:
      if (may_act()) input_.text(event.text.text);
      return;
    case SDL_KEYMAPCHANGED:
      return layout_.reload();
    case SDL_CLIPBOARDUPDATE:
      return clipboard_.look_again();
    case SDL_WINDOWEVENT:
      return handle_window(event.window);
    default:
      return handle_pointer(event);
  }
}

void Desk::handle_key(const SDL_KeyboardEvent& event) {
  if (!may_act()) return;
  if (event.type == SDL_KEYDOWN) {
    input_.key_down(key_stroke(event.keysym), event.repeat != 0);
  } else {
    input_.key_up(event.keysym.scancode);
  }
}

void Desk::handle_pointer(const SDL_Event& event) {
  if (!may_act()) return;
  const ViewFit fit = renderer_.fit();
  if (event.type == SDL_MOUSEMOTION) {
    input_.move(fit.to_picture({event.motion.x, event.motion.y}));
    if (has_control()) other_pointer_.reset();
  } else if (event.type == SDL_MOUSEBUTTONDOWN || event.type == SDL_MOUSEBUTTONUP) {
    const ViewFit::Point place{event.button.x, event.button.y};
    const bool down = event.type == SDL_MOUSEBUTTONDOWN;
    if (!down || fit.contains(place)) input_.button(event.button.button, down, fit.to_picture(place));
  } else if (event.type == SDL_MOUSEWHEEL) {
    input_.scroll(event.wheel.preciseX, -event.wheel.preciseY);
  }
}

void Desk::handle_window(const SDL_WindowEvent& event) {
  if (event.event == SDL_WINDOWEVENT_FOCUS_LOST) input_.release();
  // SDL tells of what others copy on some systems only; who copies elsewhere comes back here to paste.
  if (event.event == SDL_WINDOWEVENT_FOCUS_GAINED) clipboard_.look_again();
}

bool Desk::end_turn(Size screen) {
  send_input();
  const bool has_news = take_news();
  if (connection_ != 0 && stream_.status().state != ConnectionStatus::State::connected) disconnect();
  send_clipboard();
  send_size(screen);
  keep_alive();
  look_at_pointer();
  return has_news;
}

std::optional<SteadyTime> Desk::next_deadline() const {
  std::optional<SteadyTime> next;
  if (input_.holds()) next = last_sent_ + kPingPeriod;
  if (options_.resize && has_control() && hello_->resizable) {
    const std::optional<SteadyTime> size = size_wisher_.next();
    if (size && (!next || *size < *next)) next = size;
  }
  return next;
}

bool Desk::take_news() {
  DeskNews news = stream_.take_news();
  if (news.connection != connection_ && news.hello) disconnect();
  if (news.notice) notice_ = printable(*news.notice);
  if (news.hello) {
    connection_ = news.connection;
    greet(*news.hello);
  }
  if (connection_ == 0) return news.notice.has_value();
  if (news.control) set_control(*news.control);
  if (news.pointer) other_pointer_ = news.pointer;
  if (news.clipboard && options_.clipboard) clipboard_.take_remote(std::move(*news.clipboard));
  const bool has_news = news.hello || news.control || news.pointer || news.cursor || news.notice;
  if (news.cursor) {
    renderer_.set_cursor(*news.cursor);
    pointer_look_.set_shape(std::move(*news.cursor));
  }
  return has_news;
}

void Desk::greet(const ServerHello& hello) {
  hello_ = hello;
  wished_control_ = false;
  size_wisher_.begin_anew();
}

void Desk::set_control(ControlState control) {
  if (control == std::exchange(control_, control)) return;
  if (control != ControlState::none || !options_.view_only) notice_ = notice_of(control);
  if (!may_act()) input_.forget();
  if (has_control()) clipboard_.look_again();
  window_.grab_keyboard(grabs_ && may_act());
}

void Desk::disconnect() {
  connection_ = 0;
  hello_.reset();
  control_ = ControlState::none;
  other_pointer_.reset();
  input_.forget();
  window_.grab_keyboard(false);
}

void Desk::send_input() {
  input_.settle();
  if (!has_control() && !input_.is_deed()) {
    // To move the pointer, or to press Control for a hot key, does not mean to take control.
    if (!input_.holds()) input_.forget();
    return;
  }
  if (!has_control()) send_clipboard_first();
  for (const Input& input : input_.take()) send(input);
}

/// Nobody has control, and what comes next takes it: that may be Ctrl+V.
void Desk::send_clipboard_first() {
  const std::optional<Clipboard> copied = news_of_clipboard();
  if (!copied) return;
  send(ControlWish{true});
  send(*copied);
}

void Desk::send_clipboard() {
  if (!has_control()) return;
  if (const std::optional<Clipboard> copied = news_of_clipboard()) send(*copied);
}

std::optional<Clipboard> Desk::news_of_clipboard() try {
  // What is copied while the user is elsewhere is sent when the user comes back.
  if (!hello_->clipboard || !options_.clipboard || !window_.has_keyboard()) return std::nullopt;
  std::optional<std::string> text = clipboard_.take_local();
  if (!text) return std::nullopt;
  return Clipboard{std::move(*text)};
} catch (const std::runtime_error& error) {
  notice_ = error.what();
  return std::nullopt;
}

void Desk::send_size(Size screen) {
  if (!options_.resize || !hello_ || !hello_->resizable || screen == Size{}) return;
  const SteadyTime now = SteadyClock::now();
  size_wisher_.window_is(renderer_.output_size(), now);
  if (control_ == ControlState::free && !std::exchange(wished_control_, true)) send(ControlWish{true});
  if (!has_control()) return;
  if (const std::optional<Size> size = size_wisher_.due(screen, now)) send(SizeWish{*size});
}

void Desk::keep_alive() {
  if (input_.holds() && SteadyClock::now() >= last_sent_ + kPingPeriod) send(Ping{epoch_seconds() * 1000});
}

void Desk::send(const ViewerMessage& message) {
  stream_.send(connection_, message);
  last_sent_ = SteadyClock::now();
}

void Desk::look_at_pointer() {
  if (has_control()) {
    pointer_look_.show_remote(renderer_.fit().points_per_picture_pixel());
  } else {
    pointer_look_.show_own();
  }
}

void Desk::let_go() {
  input_.release();
  input_.swallow_text();
}

void Desk::toggle_control() {
  if (!hello_ || control_ == ControlState::none) {
    notice_ = notice_of(ControlState::none);
  } else {
    send_input();  // what was done before
    send(ControlWish{!has_control()});
  }
}

void Desk::toggle_grab() {
  grabs_ = !grabs_;
  window_.grab_keyboard(grabs_ && may_act());
  notice_ = grabs_ ? "All keys go to the desktop" : "The window manager's keys work again";
}

void Desk::send_ctrl_alt_del() {
  if (may_act()) input_.chord({kControlL, kAltL, kDelete});
}

void Desk::draw_pointer() const {
  if (!other_pointer_) return;
  const CursorShape& shape = pointer_look_.shape();
  renderer_.draw_cursor({other_pointer_->x - shape.hot_x, other_pointer_->y - shape.hot_y});
}

std::string Desk::role() const { return hello_ ? role_of(control_) : ""; }

}  // namespace latentdesk
