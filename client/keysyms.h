#pragma once

#include <cstdint>
#include <string_view>

// Keysyms (X11's numbers for keys) of what SDL names by keycodes and characters. Any thread.

namespace latentdesk {

/// Of a character: Latin 1 is its own keysym, others are 0x01000000 and the code point. 0 for control
/// characters.
uint32_t keysym_of_character(char32_t character);

/// Of a key that gives no text, or gives the same text whatever is held with it, by its SDL_Keycode; 0 for
/// all others.
uint32_t keysym_of_key(int32_t keycode);

/// Of a key of the keypad that is a digit or the decimal mark while Num Lock is on, and moves the cursor
/// while it is off.
struct KeypadKeysyms {
  uint32_t with_num_lock = 0;
  uint32_t without = 0;
};
/// Zeros for other keys.
KeypadKeysyms keysyms_of_keypad(int32_t keycode);

/// The letter that stands on this key (an SDL_Scancode) of a US keyboard, small; 0 where no letter does.
uint32_t letter_by_position(int scancode);

/// Control, Alt, Super: with one of these held a key is a command, not text.
bool is_command_modifier(uint32_t keysym);

/// One of those, or Shift.
bool is_modifier(uint32_t keysym);

/// Whether programs bind commands to it under any layout: Latin 1, and what is no character.
bool fits_commands(uint32_t keysym);

/// The only character of `utf8`; 0 when there is none or another one follows. `utf8` is well-formed.
char32_t only_character(std::string_view utf8);

}  // namespace latentdesk
