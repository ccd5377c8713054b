#pragma once

#include "server/x11_connection.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

struct _XkbDesc;  // NOLINT(bugprone-reserved-identifier): Xlib's name

namespace latentdesk {

/// How a character of one's own layout is written on the server's.
struct Stroke {
  int code = 0;              ///< keycode
  bool shift = false;        ///< Shift must be the other way than it is
  bool level_three = false;  ///< AltGr must be the other way than it is
};

/// What the server's keys mean: the keymap that its core keyboard has now. Keysyms that name the same Unicode
/// character are the same here. One thread uses it.
class X11Keymap {
 public:
  explicit X11Keymap(X11Connection& connection);

  /// Reads it again from the server.
  void load();

  /// The key that gives `keysym` in the layout that is on, with as little change to the modifiers as
  /// possible.
  std::optional<Stroke> find_stroke(uint32_t keysym) const;
  /// The key that has `keysym` without any modifier, in any layout.
  std::optional<int> find_plain_key(uint32_t keysym) const;
  /// The key that has `keysym` anywhere and acts as a modifier, or locks one.
  std::optional<int> find_modifier_key(uint32_t keysym) const;

  /// Keycodes that mean nothing.
  std::vector<int> empty_codes() const;
  /// Whether this key gives `keysym` whatever the modifiers are, as after `assign`.
  bool gives_always(int code, uint32_t keysym) const;
  /// Lets the key give this keysym whatever the modifiers are; 0 for none.
  void assign(int code, uint32_t keysym);

 private:
  struct Free {
    void operator()(_XkbDesc* map) const;
  };
  uint32_t symbol(int code, unsigned modifiers, unsigned group) const;
  uint32_t symbol_at(int code, unsigned level, unsigned group) const;
  std::optional<int> find_at(uint32_t keysym, unsigned modifiers, unsigned group) const;

  X11Connection& connection_;
  std::unique_ptr<_XkbDesc, Free> map_;
  unsigned level_three_ = 0;  ///< the modifier of AltGr; 0: there is none
};

/// Of several keysyms that name the same character, always the same one.
uint32_t canonical(uint32_t keysym);
/// Shift, Control, AltGr and so on: they change what other keys mean.
bool is_modifier(uint32_t keysym);
/// Keys of a function, such as Tab, Escape and F1, which have a meaning with every modifier.
bool is_function(uint32_t keysym);
/// That of a Unicode character; 0 when there is none.
uint32_t keysym_of(char32_t character);

}  // namespace latentdesk
