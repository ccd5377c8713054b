#include "client/x11_layout.h"

#include <SDL2/SDL.h>
#include <SDL2/SDL_syswm.h>

#include <cstring>
#include <string_view>

#include <X11/XKBlib.h>
#include <X11/keysym.h>

namespace latentdesk {

namespace {

struct KeyName {
  int scancode;
  std::string_view name;
};

// Places on the keyboard as XKB names them (the same whatever driver numbers the keys) and as SDL does.
constexpr KeyName kKeyNames[] = {
    {SDL_SCANCODE_GRAVE, "TLDE"},
    {SDL_SCANCODE_1, "AE01"},
    {SDL_SCANCODE_2, "AE02"},
    {SDL_SCANCODE_3, "AE03"},
    {SDL_SCANCODE_4, "AE04"},
    {SDL_SCANCODE_5, "AE05"},
    {SDL_SCANCODE_6, "AE06"},
    {SDL_SCANCODE_7, "AE07"},
    {SDL_SCANCODE_8, "AE08"},
    {SDL_SCANCODE_9, "AE09"},
    {SDL_SCANCODE_0, "AE10"},
    {SDL_SCANCODE_MINUS, "AE11"},
    {SDL_SCANCODE_EQUALS, "AE12"},
    {SDL_SCANCODE_Q, "AD01"},
    {SDL_SCANCODE_W, "AD02"},
    {SDL_SCANCODE_E, "AD03"},
    {SDL_SCANCODE_R, "AD04"},
    {SDL_SCANCODE_T, "AD05"},
    {SDL_SCANCODE_Y, "AD06"},
    {SDL_SCANCODE_U, "AD07"},
    {SDL_SCANCODE_I, "AD08"},
    {SDL_SCANCODE_O, "AD09"},
    {SDL_SCANCODE_P, "AD10"},
    {SDL_SCANCODE_LEFTBRACKET, "AD11"},
    {SDL_SCANCODE_RIGHTBRACKET, "AD12"},
    {SDL_SCANCODE_A, "AC01"},
    {SDL_SCANCODE_S, "AC02"},
    {SDL_SCANCODE_D, "AC03"},
    {SDL_SCANCODE_F, "AC04"},
    {SDL_SCANCODE_G, "AC05"},
    {SDL_SCANCODE_H, "AC06"},
    {SDL_SCANCODE_J, "AC07"},
    {SDL_SCANCODE_K, "AC08"},
    {SDL_SCANCODE_L, "AC09"},
    {SDL_SCANCODE_SEMICOLON, "AC10"},
    {SDL_SCANCODE_APOSTROPHE, "AC11"},
    {SDL_SCANCODE_BACKSLASH, "BKSL"},
    {SDL_SCANCODE_NONUSBACKSLASH, "LSGT"},
    {SDL_SCANCODE_Z, "AB01"},
    {SDL_SCANCODE_X, "AB02"},
    {SDL_SCANCODE_C, "AB03"},
    {SDL_SCANCODE_V, "AB04"},
    {SDL_SCANCODE_B, "AB05"},
    {SDL_SCANCODE_N, "AB06"},
    {SDL_SCANCODE_M, "AB07"},
    {SDL_SCANCODE_COMMA, "AB08"},
    {SDL_SCANCODE_PERIOD, "AB09"},
    {SDL_SCANCODE_SLASH, "AB10"},
    {SDL_SCANCODE_SPACE, "SPCE"},
    {SDL_SCANCODE_CAPSLOCK, "CAPS"},
    {SDL_SCANCODE_RALT, "RALT"},
    {SDL_SCANCODE_LALT, "LALT"},
    {SDL_SCANCODE_RCTRL, "RCTL"},
    {SDL_SCANCODE_LGUI, "LWIN"},
    {SDL_SCANCODE_RGUI, "RWIN"},
    {SDL_SCANCODE_APPLICATION, "MENU"},
    {SDL_SCANCODE_KP_7, "KP7"},
    {SDL_SCANCODE_KP_8, "KP8"},
    {SDL_SCANCODE_KP_9, "KP9"},
    {SDL_SCANCODE_KP_4, "KP4"},
    {SDL_SCANCODE_KP_5, "KP5"},
    {SDL_SCANCODE_KP_6, "KP6"},
    {SDL_SCANCODE_KP_1, "KP1"},
    {SDL_SCANCODE_KP_2, "KP2"},
    {SDL_SCANCODE_KP_3, "KP3"},
    {SDL_SCANCODE_KP_0, "KP0"},
    {SDL_SCANCODE_KP_PERIOD, "KPDL"},
    {SDL_SCANCODE_INTERNATIONAL1, "AB11"},
    {SDL_SCANCODE_INTERNATIONAL3, "AE13"},
};

std::string_view name_of(int scancode) {
  for (const KeyName& key : kKeyNames) {
    if (key.scancode == scancode) return key.name;
  }
  return {};
}

struct FreeKeyboard {
  void operator()(XkbDescPtr keyboard) const { XkbFreeKeyboard(keyboard, XkbAllComponentsMask, True); }
};

}  // namespace

class X11Layout::Impl {
 public:
  explicit Impl(Display* display) : display_(display) { load(); }

  void load() {
    keyboard_.reset(XkbGetMap(display_, XkbAllClientInfoMask, XkbUseCoreKbd));
    if (keyboard_ && XkbGetNames(display_, XkbKeyNamesMask, keyboard_.get()) != Success) keyboard_.reset();
    level3_ = XkbKeysymToModifiers(display_, XK_ISO_Level3_Shift);
    num_lock_ = XkbKeysymToModifiers(display_, XK_Num_Lock);
  }

  uint32_t keysym(const KeyStroke& key) const {
    const KeyCode code = keycode_of(name_of(key.scancode));
    XkbStateRec state{};
    if (code == 0 || XkbGetState(display_, XkbUseCoreKbd, &state) != Success) return 0;
    unsigned used = 0;
    KeySym keysym = NoSymbol;
    XkbTranslateKeyCode(keyboard_.get(), code, XkbBuildCoreState(modifiers(key), state.group), &used,
                        &keysym);
    return static_cast<uint32_t>(keysym);
  }

 private:
  KeyCode keycode_of(std::string_view name) const {
    if (name.empty() || !keyboard_) return 0;
    for (int code = keyboard_->min_key_code; code <= keyboard_->max_key_code; ++code) {
      const char* candidate = keyboard_->names->keys[code].name;
      if (name == std::string_view(candidate, strnlen(candidate, XkbKeyNameLength)))
        return static_cast<KeyCode>(code);
    }
    return 0;
  }

  /// Those that choose among the characters of a key, as they were when it was pressed.
  unsigned modifiers(const KeyStroke& key) const {
    unsigned modifiers = 0;
    if ((key.mods & KMOD_SHIFT) != 0) modifiers |= ShiftMask;
    if ((key.mods & KMOD_CAPS) != 0) modifiers |= LockMask;
    if ((key.mods & KMOD_NUM) != 0) modifiers |= num_lock_;
    if ((key.mods & KMOD_RALT) != 0 && key.keycode != SDLK_RALT) modifiers |= level3_;
    return modifiers;
  }

  Display* const display_;
  std::unique_ptr<XkbDescRec, FreeKeyboard> keyboard_;
  unsigned level3_ = 0;
  unsigned num_lock_ = 0;
};

X11Layout::X11Layout(SDL_Window& window) {
  SDL_SysWMinfo info;
  SDL_VERSION(&info.version);
  if (SDL_GetWindowWMInfo(&window, &info) == SDL_TRUE && info.subsystem == SDL_SYSWM_X11)
    impl_ = std::make_unique<Impl>(info.info.x11.display);
}
X11Layout::~X11Layout() = default;

uint32_t X11Layout::keysym(const KeyStroke& key) const { return impl_ ? impl_->keysym(key) : 0; }

void X11Layout::reload() {
  if (impl_) impl_->load();
}

}  // namespace latentdesk
