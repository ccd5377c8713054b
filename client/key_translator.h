#pragma once

#include "common/stream/input.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace latentdesk {

/// A key as SDL tells of it.
struct KeyStroke {
  int scancode = 0;     ///< SDL_Scancode: which key, whatever stands on it
  int32_t keycode = 0;  ///< SDL_Keycode: what stands on it, without Shift and AltGr
  uint16_t mods = 0;    ///< SDL_Keymod
};

/// The keysym that the local layout gives a key with the Shift, AltGr and locks of `mods`; 0 when it is not
/// known.
using Layout = std::function<uint32_t(const KeyStroke&)>;

/// Turns keys and text, as SDL tells of them, into what a viewer sends. Main thread.
///
/// A key that gives text waits for it and goes down as the keysym of the character, so that the local layout,
/// its dead keys and its compose sequences decide what is typed. Text without such a key, or of several
/// characters, goes as text. With Control, Alt or Super held a key goes by the keysym alone, since its text
/// says less. What only chooses among characters (AltGr, Caps Lock, Num Lock) stays here: it is in the text.
class KeyTranslator {
 public:
  explicit KeyTranslator(Layout layout) : layout_(std::move(layout)) {}

  // Each appends to `out`.

  void key_down(const KeyStroke& key, bool is_repeat, std::vector<InputEvent>& out);
  void key_up(int scancode, std::vector<InputEvent>& out);
  void text(const std::string& utf8, std::vector<InputEvent>& out);
  /// All that SDL had to tell has been told: a key that waits for text has none.
  void settle(std::vector<InputEvent>& out);

  /// Another one takes this key: its text is dropped.
  void swallow_text();
  /// Nothing is held any more.
  void forget();
  bool holds() const { return !held_.empty(); }

 private:
  void press(int scancode, uint32_t keysym, std::vector<InputEvent>& out);
  void lift(int scancode, std::vector<InputEvent>& out);
  bool commands() const;
  uint32_t command_keysym(const KeyStroke& key) const;

  const Layout layout_;
  std::map<int, uint32_t> held_;      ///< scancodes and the keysyms that they went down as
  std::optional<KeyStroke> waiting_;  ///< went down and may give text
  bool swallows_ = false;             ///< text that comes now is of a key that has been sent
};

}  // namespace latentdesk
