#include "server/x11_desk.h"

#include "server/capture.h"
#include "server/x11_cursor.h"
#include "server/x11_screen_size.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include <X11/Xlib.h>
#include <X11/extensions/Xfixes.h>
#undef CursorShape  // a macro of Xlib

namespace latentdesk {

namespace {

// Between two looks at what the server has to say.
constexpr int kCommandsAtOnce = 64;
constexpr int kEventsAtOnce = 256;
// A key that cannot be typed is given up.
constexpr auto kMostPatience = std::chrono::seconds(2);

std::optional<SteadyTime> earlier(std::optional<SteadyTime> a, std::optional<SteadyTime> b) {
  return a && b ? std::min(a, b) : (a ? a : b);
}

/// The character at `index` of well-formed UTF-8, which is moved behind it.
char32_t next_character(const std::string& text, size_t& index) {
  const auto first = static_cast<unsigned char>(text[index++]);
  if (first < 0x80) return first;
  char32_t character = first < 0xe0 ? first & 0x1fu : first < 0xf0 ? first & 0xfu : first & 7u;
  for (; index < text.size() && (text[index] & 0xc0) == 0x80; ++index)
    character = character << 6 | (static_cast<unsigned char>(text[index]) & 0x3fu);
  return character;
}

}  // namespace

X11Desk::X11Desk(const DeskOptions& options, const DeskEvents& events)
    : options_(options), events_(events), connection_(options.display), pointer_(connection_) {
  if (options_.input) keyboard_.emplace(connection_);
  if (options_.input && options_.clipboard)
    clipboard_.emplace(connection_, [this](std::string text) { events_.on_clipboard(std::move(text)); });
  int error = 0;
  if (XFixesQueryExtension(connection_.get(), &xfixes_event_, &error))
    XFixesSelectCursorInput(connection_.get(), connection_.root(), XFixesDisplayCursorNotifyMask);
  XFlush(connection_.get());
  connection_.check();
}

bool X11Desk::can_resize() {
  return options_.input && options_.resize && latentdesk::can_resize(connection_);
}

std::optional<SteadyTime> X11Desk::work(DeskQueue& queue) {
  const auto now = SteadyClock::now();
  handle_events(now);
  if (clipboard_) clipboard_->expire(now);
  auto next = obey_queue(queue);
  if (const auto pointer = pointer_.look(now)) events_.on_pointer(*pointer);
  if (std::exchange(cursor_changed_, false)) report_cursor();
  XFlush(connection_.get());
  connection_.check();
  next = earlier(next, pointer_.next_look());
  return clipboard_ ? earlier(next, clipboard_->next_expiry()) : next;
}

void X11Desk::wait(int wake_fd, std::optional<SteadyTime> deadline) {
  if (XEventsQueued(connection_.get(), QueuedAlready) > 0) return;  // came with an answer
  wait_readable(connection_.fd(), wake_fd, deadline);
}

void X11Desk::handle_events(SteadyTime now) {
  for (int i = 0; i < kEventsAtOnce && XPending(connection_.get()) > 0; ++i) {
    XEvent event;
    XNextEvent(connection_.get(), &event);
    if (event.type == xfixes_event_ + XFixesCursorNotify) {
      cursor_changed_ = true;
      pointer_.look_soon(now);  // another program may have moved it, of which there is no event
    } else if (!(keyboard_ && keyboard_->handle(event)) && !pointer_.handle(event, now) && clipboard_) {
      clipboard_->handle(event, now);
    }
  }
  connection_.check();
}

std::optional<SteadyTime> X11Desk::obey_queue(DeskQueue& queue) {
  for (int i = 0; i < kCommandsAtOnce; ++i) {
    const auto now = SteadyClock::now();
    if (queue.drop_overdue(now)) current_.reset();
    if (!current_) {
      current_ = queue.pop();
      if (!current_) return std::nullopt;
      current_since_ = now;
      typed_ = 0;
    }
    if (const auto again = obey(*current_, now)) {
      if (now < current_since_ + kMostPatience) return earlier(again, queue.overdue_at());
      spdlog::debug("a key is given up: the X server does not take its keysym");
    }
    current_.reset();
  }
  return SteadyTime{};  // there may be more
}

std::optional<SteadyTime> X11Desk::obey(const DeskCommand& command, SteadyTime now) {
  if (const auto* event = std::get_if<InputEvent>(&command)) return obey(*event, now);
  if (const auto* wish = std::get_if<SizeWish>(&command)) {
    if (can_resize()) resize_screen(connection_, wish->size);
  } else if (const auto* clipboard = std::get_if<Clipboard>(&command)) {
    if (clipboard_) clipboard_->set(clipboard->text);
  } else {
    release_all();
  }
  return std::nullopt;
}

std::optional<SteadyTime> X11Desk::obey(const InputEvent& event, SteadyTime now) {
  if (!keyboard_) return std::nullopt;
  if (const auto* key = std::get_if<KeyInput>(&event)) {
    if (key->down) return keyboard_->press(key->keysym, now);
    keyboard_->release(key->keysym);
  } else if (const auto* move = std::get_if<MoveInput>(&event)) {
    pointer_.move(move->x, move->y);
  } else if (const auto* text = std::get_if<TextInput>(&event)) {
    return type_text(text->text, now);
  } else if (const auto* button = std::get_if<ButtonInput>(&event)) {
    keyboard_->restore_modifiers();
    button->down ? pointer_.press(button->button) : pointer_.release(button->button);
  } else if (const auto* scroll = std::get_if<ScrollInput>(&event)) {
    keyboard_->restore_modifiers();
    pointer_.scroll(scroll->dx, scroll->dy);
  } else {
    release_all();
  }
  return std::nullopt;
}

std::optional<SteadyTime> X11Desk::type_text(const std::string& text, SteadyTime now) {
  while (typed_ < text.size()) {
    size_t next = typed_;
    if (const auto again = keyboard_->type(next_character(text, next), now)) return again;
    typed_ = next;
    current_since_ = now;
  }
  return std::nullopt;
}

void X11Desk::release_all() {
  pointer_.release_all();
  if (keyboard_) keyboard_->release_all();
}

void X11Desk::report_cursor() {
  const auto picture = options_.cursor ? cursor_picture(connection_) : nullptr;
  CursorShape shape = picture ? cursor_shape(*picture) : CursorShape{};
  if (shape == cursor_) return;
  cursor_ = shape;
  events_.on_cursor(std::move(shape));
}

}  // namespace latentdesk
