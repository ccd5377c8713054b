#include "client/key_translator.h"

#include "client/keysyms.h"
#include "common/stream/messages.h"

#include <SDL2/SDL_keycode.h>

#include <algorithm>
#include <utility>

namespace latentdesk {

namespace {

/// What this key does is in the text. The right Alt key chooses characters in most layouts, and is Alt in
/// some; SDL calls it the same in all of them.
bool chooses_characters(const KeyStroke& key, const Layout& layout) {
  if (key.keycode == SDLK_CAPSLOCK || key.keycode == SDLK_NUMLOCKCLEAR || key.keycode == SDLK_MODE)
    return true;
  return key.keycode == SDLK_RALT && !is_command_modifier(layout(key));
}

uint32_t shifted(uint32_t keysym, const KeyStroke& key) {
  const bool is_small = keysym >= 'a' && keysym <= 'z';
  return is_small && (key.mods & KMOD_SHIFT) != 0 ? keysym - 'a' + 'A' : keysym;
}

/// A key of the keypad stays one: programs tell the digits there from the others.
uint32_t keysym_of_text(const KeyStroke& key, char32_t character) {
  const uint32_t keypad = keysyms_of_keypad(key.keycode).with_num_lock;
  if (keypad != 0 && ((character >= '0' && character <= '9') || character == '.')) return keypad;
  return keysym_of_character(character);
}

}  // namespace

void KeyTranslator::key_down(const KeyStroke& key, bool is_repeat, std::vector<InputEvent>& out) {
  settle(out);
  if (is_repeat) {
    swallows_ = held_.contains(key.scancode);  // the server's keyboard repeats it
    if (!swallows_) waiting_ = key;
    return;
  }
  if (chooses_characters(key, layout_)) return;
  uint32_t keysym = keysym_of_key(key.keycode);
  if (keysym == 0 && commands()) keysym = command_keysym(key);
  swallows_ = keysym != 0;
  if (keysym != 0) {
    press(key.scancode, keysym, out);
  } else {
    waiting_ = key;
  }
}

void KeyTranslator::key_up(int scancode, std::vector<InputEvent>& out) {
  settle(out);
  lift(scancode, out);
}

void KeyTranslator::text(const std::string& utf8, std::vector<InputEvent>& out) {
  if (swallows_ || utf8.empty() || utf8.size() > kMaxInputTextBytes || !is_utf8(utf8)) return;
  const char32_t character = only_character(utf8);
  const uint32_t keysym = waiting_ && character != 0 ? keysym_of_text(*waiting_, character) : 0;
  if (keysym != 0) {
    press(waiting_->scancode, keysym, out);
  } else {
    out.push_back(TextInput{utf8});
  }
  waiting_.reset();
}

void KeyTranslator::settle(std::vector<InputEvent>& out) {
  swallows_ = false;
  if (!waiting_) return;
  const KeyStroke key = *std::exchange(waiting_, std::nullopt);
  const uint32_t keysym = keysyms_of_keypad(key.keycode).without;
  if (keysym != 0) press(key.scancode, keysym, out);
}

void KeyTranslator::swallow_text() {
  waiting_.reset();
  swallows_ = true;
}

void KeyTranslator::forget() {
  held_.clear();
  waiting_.reset();
}

void KeyTranslator::press(int scancode, uint32_t keysym, std::vector<InputEvent>& out) {
  lift(scancode, out);  // SDL may have missed that it went up
  held_[scancode] = keysym;
  out.push_back(KeyInput{keysym, true});
}

void KeyTranslator::lift(int scancode, std::vector<InputEvent>& out) {
  const auto found = held_.find(scancode);
  if (found == held_.end()) return;
  out.push_back(KeyInput{found->second, false});
  held_.erase(found);
}

bool KeyTranslator::commands() const {
  return std::any_of(held_.begin(), held_.end(),
                     [](const auto& key) { return is_command_modifier(key.second); });
}

/// Where the layout gives no Latin letter, the one at that place of a US keyboard, as toolkits do.
uint32_t KeyTranslator::command_keysym(const KeyStroke& key) const {
  uint32_t keysym = layout_(key);
  if (keysym == 0) keysym = keysyms_of_keypad(key.keycode).with_num_lock;
  const bool is_character = key.keycode > 0 && (key.keycode & SDLK_SCANCODE_MASK) == 0;
  if (keysym == 0 && is_character)
    keysym = shifted(keysym_of_character(static_cast<char32_t>(key.keycode)), key);
  const uint32_t letter = letter_by_position(key.scancode);
  return fits_commands(keysym) || letter == 0 ? keysym : shifted(letter, key);
}

}  // namespace latentdesk
