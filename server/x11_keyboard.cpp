#include "server/x11_keyboard.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <X11/XKBlib.h>
#include <X11/extensions/XTest.h>
#include <X11/keysym.h>

namespace latentdesk {

namespace {

using namespace std::chrono_literals;

// More would only make every client read more keymaps.
constexpr size_t kMostSpares = 32;
// Between a new keymap and its first key: clients are told in this order, but an input method is another
// program.
constexpr auto kSettle = 20ms;
// A busy client meets the key's event so late, and reads the keymap only then (300 ms were too few for an
// xterm on a machine whose cores were in use sixfold).
constexpr auto kKeepFor = 1s;

/// What does the same where the server's keyboard lacks the one.
uint32_t substitute(uint32_t modifier) {
  switch (modifier) {
    case XK_Shift_R:
      return XK_Shift_L;
    case XK_Control_R:
      return XK_Control_L;
    case XK_Super_R:
      return XK_Super_L;
    case XK_Alt_R:
    case XK_Meta_L:
    case XK_Meta_R:
      return XK_Alt_L;
    default:
      return 0;
  }
}

}  // namespace

X11Keyboard::X11Keyboard(X11Connection& connection) : connection_(connection), map_(connection) {
  int event = 0, error = 0, major = 0, minor = 0;
  if (!XTestQueryExtension(connection_.get(), &event, &error, &major, &minor))
    throw std::runtime_error("the X server has no XTEST extension, so nobody can type; say --view-only");
  XkbQueryExtension(connection_.get(), nullptr, &xkb_event_, nullptr, nullptr, nullptr);
  constexpr unsigned kEvents = XkbMapNotifyMask | XkbNewKeyboardNotifyMask;
  XkbSelectEvents(connection_.get(), XkbUseCoreKbd, kEvents, kEvents);
}

X11Keyboard::~X11Keyboard() {
  release_all();
  for (const Spare& spare : spares_) {
    if (spare.keysym != 0) map_.assign(spare.code, 0);
  }
  XSync(connection_.get(), False);
}

bool X11Keyboard::handle(const _XEvent& event) {
  if (event.type != xkb_event_) return event.type == MappingNotify;
  is_stale_ = true;
  return true;
}

void X11Keyboard::refresh_map() {
  if (!std::exchange(is_stale_, false)) return;
  map_.load();
  std::erase_if(spares_, [this](const Spare& spare) {
    return spare.keysym != 0 && !map_.gives_always(spare.code, spare.keysym);  // somebody set another keymap
  });
  for (const int code : map_.empty_codes()) {
    const bool is_known =
        std::any_of(spares_.begin(), spares_.end(), [=](const Spare& spare) { return spare.code == code; });
    if (!is_known && spares_.size() < kMostSpares) spares_.push_back({.code = code});
  }
}

std::optional<SteadyTime> X11Keyboard::press(uint32_t keysym, SteadyTime now) {
  if (held_.contains(keysym)) return std::nullopt;
  refresh_map();
  restore_modifiers();
  if (is_modifier(keysym)) {
    press_modifier(keysym);
    return std::nullopt;
  }
  if (const auto plain = is_function(keysym) ? map_.find_plain_key(keysym) : std::nullopt) {
    press_key(keysym, *plain);
    return std::nullopt;
  }
  // Before the keymap as a whole, which shows the spare codes too.
  if (Spare* spare = spare_with(keysym)) return press_spare(*spare, keysym, now);
  if (const auto stroke = map_.find_stroke(keysym)) {
    if (stroke->shift) toggle(XK_Shift_L, XK_Shift_R);
    if (stroke->level_three) toggle(XK_ISO_Level3_Shift, XK_ISO_Level3_Shift);
    press_key(keysym, stroke->code);
    return std::nullopt;
  }
  return map_spare(keysym, now);
}

void X11Keyboard::release(uint32_t keysym) {
  const auto held = held_.find(keysym);
  if (held == held_.end()) return;
  restore_modifiers_unless(held->second);
  fake(held->second, false);
  if (Spare* spare = spare_with(keysym)) spare->used = SteadyClock::now();
  held_.erase(held);
  restore_modifiers();
}

void X11Keyboard::release_all() {
  restore_modifiers();
  while (!held_.empty()) release(held_.begin()->first);
}

std::optional<SteadyTime> X11Keyboard::type(char32_t character, SteadyTime now) {
  const uint32_t keysym = keysym_of(character);
  if (keysym == 0) return std::nullopt;
  release(keysym);  // or it would not be pressed again
  const auto again = press(keysym, now);
  if (!again) release(keysym);
  return again;
}

void X11Keyboard::press_modifier(uint32_t keysym) {
  auto code = map_.find_modifier_key(keysym);
  if (!code && substitute(keysym) != 0) code = map_.find_modifier_key(substitute(keysym));
  if (code) press_key(keysym, *code);
}

void X11Keyboard::press_key(uint32_t keysym, int code) {
  std::erase_if(held_, [&](const auto& held) {
    if (held.second != code) return false;
    fake(code, false);  // by another of its keysyms
    return true;
  });
  fake(code, true);
  held_[keysym] = code;
  key_of_toggles_ = code;
}

X11Keyboard::Spare* X11Keyboard::spare_with(uint32_t keysym) {
  const auto found = std::find_if(spares_.begin(), spares_.end(), [=](const Spare& spare) {
    return spare.keysym != 0 && canonical(spare.keysym) == canonical(keysym);
  });
  return found == spares_.end() ? nullptr : &*found;
}

std::optional<SteadyTime> X11Keyboard::press_spare(Spare& spare, uint32_t keysym, SteadyTime now) {
  if (now < spare.mapped + kSettle) return spare.mapped + kSettle;
  spare.used = now;
  press_key(keysym, spare.code);
  return std::nullopt;
}

std::optional<SteadyTime> X11Keyboard::map_spare(uint32_t keysym, SteadyTime now) {
  Spare* oldest = nullptr;
  for (Spare& spare : spares_) {
    if (!is_held(spare.code) && (!oldest || spare.used < oldest->used)) oldest = &spare;
  }
  if (!oldest) return std::nullopt;
  if (now < oldest->used + kKeepFor) return oldest->used + kKeepFor;
  map_.assign(oldest->code, keysym);
  *oldest = {.code = oldest->code, .keysym = keysym, .mapped = now, .used = now};
  return now + kSettle;
}

void X11Keyboard::toggle(uint32_t keysym, uint32_t other) {
  for (const auto& [held, code] : held_) {
    if (held != keysym && held != other) continue;
    fake(code, false);
    toggled_.push_back({held, code, false});
  }
  const bool was_held = std::any_of(toggled_.begin(), toggled_.end(), [=](const Toggled& t) {
    return t.keysym == keysym || t.keysym == other;
  });
  const auto code = was_held ? std::nullopt : map_.find_modifier_key(keysym);
  if (!code) return;
  fake(*code, true);
  toggled_.push_back({keysym, *code, true});
}

void X11Keyboard::restore_modifiers() {
  for (; !toggled_.empty(); toggled_.pop_back()) fake(toggled_.back().code, !toggled_.back().pressed);
}

void X11Keyboard::restore_modifiers_unless(int code) {
  if (code != key_of_toggles_) restore_modifiers();
}

bool X11Keyboard::is_held(int code) const {
  return std::any_of(held_.begin(), held_.end(), [=](const auto& held) { return held.second == code; });
}

void X11Keyboard::fake(int code, bool down) {
  XTestFakeKeyEvent(connection_.get(), static_cast<unsigned>(code), down ? True : False, CurrentTime);
}

}  // namespace latentdesk
