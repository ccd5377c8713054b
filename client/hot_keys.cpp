#include "client/hot_keys.h"

#include "client/keysyms.h"

#include <SDL2/SDL_keycode.h>

namespace latentdesk {

std::optional<HotKey> hot_key(const KeyStroke& key) {
  const auto held = [&](int modifier) { return (key.mods & modifier) != 0; };
  if (!held(KMOD_CTRL) || !held(KMOD_ALT) || !held(KMOD_SHIFT)) return std::nullopt;
  const bool is_latin = key.keycode >= 'a' && key.keycode <= 'z';
  switch (is_latin ? static_cast<uint32_t>(key.keycode) : letter_by_position(key.scancode)) {
    case 'f':
      return HotKey::full_screen;
    case 'c':
      return HotKey::control;
    case 'g':
      return HotKey::grab;
    case 'd':
      return HotKey::secure_attention;
    case 's':
      return HotKey::statistics;
    case 'p':
      return HotKey::screenshot;
    case 'h':
      return HotKey::help;
    case 'q':
      return HotKey::quit;
    default:
      return std::nullopt;
  }
}

}  // namespace latentdesk
