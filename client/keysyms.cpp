#include "client/keysyms.h"

#include <SDL2/SDL_keycode.h>

#include <algorithm>
#include <array>

namespace latentdesk {

namespace {

struct Entry {
  int32_t keycode;
  uint32_t keysym;
};

// Keysyms by their names in <X11/keysymdef.h>, which defines macros of such short names that it stays out.
constexpr Entry kKeys[] = {
    {SDLK_BACKSPACE, 0xff08},                                        // BackSpace
    {SDLK_TAB, 0xff09},                                              // Tab
    {SDLK_CLEAR, 0xff0b},                                            // Clear
    {SDLK_RETURN, 0xff0d},                                           // Return
    {SDLK_RETURN2, 0xff0d},                                          //
    {SDLK_PAUSE, 0xff13},                                            // Pause
    {SDLK_SCROLLLOCK, 0xff14},                                       // Scroll_Lock
    {SDLK_SYSREQ, 0xff15},                                           // Sys_Req
    {SDLK_ESCAPE, 0xff1b},                                           // Escape
    {SDLK_HOME, 0xff50},                                             // Home
    {SDLK_LEFT, 0xff51},                                             // Left
    {SDLK_UP, 0xff52},                                               // Up
    {SDLK_RIGHT, 0xff53},                                            // Right
    {SDLK_DOWN, 0xff54},                                             // Down
    {SDLK_PAGEUP, 0xff55},                                           // Prior
    {SDLK_PAGEDOWN, 0xff56},                                         // Next
    {SDLK_END, 0xff57},                                              // End
    {SDLK_SELECT, 0xff60},                                           // Select
    {SDLK_PRINTSCREEN, 0xff61},                                      // Print
    {SDLK_EXECUTE, 0xff62},                                          // Execute
    {SDLK_INSERT, 0xff63},                                           // Insert
    {SDLK_UNDO, 0xff65},                                             // Undo
    {SDLK_AGAIN, 0xff66},                                            // Redo
    {SDLK_APPLICATION, 0xff67},                                      // Menu
    {SDLK_MENU, 0xff67},                                             //
    {SDLK_FIND, 0xff68},                                             // Find
    {SDLK_CANCEL, 0xff69},                                           // Cancel
    {SDLK_HELP, 0xff6a},                                             // Help
    {SDLK_KP_ENTER, 0xff8d},                                         // KP_Enter
    {SDLK_KP_MULTIPLY, 0xffaa},                                      // KP_Multiply
    {SDLK_KP_PLUS, 0xffab},                                          // KP_Add
    {SDLK_KP_MINUS, 0xffad},                                         // KP_Subtract
    {SDLK_KP_DIVIDE, 0xffaf},                                        // KP_Divide
    {SDLK_KP_EQUALS, 0xffbd},                                        // KP_Equal
    {SDLK_LSHIFT, 0xffe1},                                           // Shift_L
    {SDLK_RSHIFT, 0xffe2},                                           // Shift_R
    {SDLK_LCTRL, 0xffe3},                                            // Control_L
    {SDLK_RCTRL, 0xffe4},                                            // Control_R
    {SDLK_LALT, 0xffe9},                                             // Alt_L
    {SDLK_RALT, 0xffea},                                             // Alt_R
    {SDLK_LGUI, 0xffeb},                                             // Super_L
    {SDLK_RGUI, 0xffec},                                             // Super_R
    {SDLK_DELETE, 0xffff},                                           // Delete
    {SDLK_CUT, 0x1008ff58},                                          // XF86Cut
    {SDLK_COPY, 0x1008ff57},                                         // XF86Copy
    {SDLK_PASTE, 0x1008ff6d},                                        // XF86Paste
    {SDLK_MUTE, 0x1008ff12},                                         // XF86AudioMute
    {SDLK_AUDIOMUTE, 0x1008ff12},                                    //
    {SDLK_VOLUMEDOWN, 0x1008ff11},                                   // XF86AudioLowerVolume
    {SDLK_VOLUMEUP, 0x1008ff13},                                     // XF86AudioRaiseVolume
    {SDLK_AUDIOPLAY, 0x1008ff14},                                    // XF86AudioPlay
    {SDLK_AUDIOSTOP, 0x1008ff15},                                    // XF86AudioStop
    {SDLK_AUDIOPREV, 0x1008ff16},                                    // XF86AudioPrev
    {SDLK_AUDIONEXT, 0x1008ff17},                                    // XF86AudioNext
    {SDLK_MAIL, 0x1008ff19},                                         // XF86Mail
    {SDLK_CALCULATOR, 0x1008ff1d},                                   // XF86Calculator
    {SDLK_AC_SEARCH, 0x1008ff1b},                                    // XF86Search
    {SDLK_AC_HOME, 0x1008ff18},                                      // XF86HomePage
    {SDLK_AC_BACK, 0x1008ff26},                                      // XF86Back
    {SDLK_AC_FORWARD, 0x1008ff27},                                   // XF86Forward
    {SDLK_AC_REFRESH, 0x1008ff73},                                   // XF86Reload
    {SDLK_WWW, 0x1008ff2e},                                          // XF86WWW
    {SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_LANG1), 0xff31},           // Hangul
    {SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_LANG2), 0xff34},           // Hangul_Hanja
    {SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_INTERNATIONAL2), 0xff27},  // Hiragana_Katakana
    {SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_INTERNATIONAL4), 0xff23},  // Henkan_Mode
    {SDL_SCANCODE_TO_KEYCODE(SDL_SCANCODE_INTERNATIONAL5), 0xff22},  // Muhenkan
};

// Cursor keys of the keypad from KP_1 to KP_9, and KP_0.
constexpr std::array<uint32_t, 10> kKeypadMoves = {0xff9c, 0xff99, 0xff9b, 0xff96, 0xff9d,
                                                   0xff98, 0xff95, 0xff97, 0xff9a, 0xff9e};

}  // namespace

uint32_t keysym_of_character(char32_t character) {
  if (character < 0x20 || (character >= 0x7f && character < 0xa0)) return 0;
  return character < 0x100 ? character : 0x01000000 + character;
}

uint32_t keysym_of_key(int32_t keycode) {
  if (keycode >= SDLK_F1 && keycode <= SDLK_F12) return 0xffbe + static_cast<uint32_t>(keycode - SDLK_F1);
  if (keycode >= SDLK_F13 && keycode <= SDLK_F24) return 0xffca + static_cast<uint32_t>(keycode - SDLK_F13);
  const auto* found = std::find_if(std::begin(kKeys), std::end(kKeys),
                                   [&](const Entry& key) { return key.keycode == keycode; });
  return found == std::end(kKeys) ? 0 : found->keysym;
}

KeypadKeysyms keysyms_of_keypad(int32_t keycode) {
  if (keycode == SDLK_KP_PERIOD) return {0xffae, 0xff9f};  // KP_Decimal, KP_Delete
  if (keycode < SDLK_KP_1 || keycode > SDLK_KP_0) return {};
  const auto index = static_cast<uint32_t>(keycode - SDLK_KP_1);  // KP_0 is the tenth
  return {0xffb0 + (index + 1) % 10, kKeypadMoves.at(index)};
}

uint32_t letter_by_position(int scancode) {
  if (scancode < SDL_SCANCODE_A || scancode > SDL_SCANCODE_Z) return 0;
  return static_cast<uint32_t>('a' + scancode - SDL_SCANCODE_A);
}

bool is_command_modifier(uint32_t keysym) {
  const bool is_control = keysym == 0xffe3 || keysym == 0xffe4;
  return is_control || (keysym >= 0xffe7 && keysym <= 0xffee);  // Meta, Alt, Super, Hyper
}

bool is_modifier(uint32_t keysym) {
  return is_command_modifier(keysym) || keysym == 0xffe1 || keysym == 0xffe2;  // Shift_L, Shift_R
}

bool fits_commands(uint32_t keysym) {
  return keysym < 0x100 || (keysym >= 0xfe00 && keysym <= 0xffff) || keysym >= 0x10000000;
}

char32_t only_character(std::string_view utf8) {
  if (utf8.empty()) return 0;
  const auto lead = static_cast<unsigned char>(utf8[0]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (utf8.size() != length) return 0;
  char32_t character = length == 1 ? lead : lead & (0x7fU >> length);
  for (const char byte : utf8.substr(1))
    character = character << 6 | (static_cast<unsigned char>(byte) & 0x3fU);
  return character;
}

}  // namespace latentdesk
