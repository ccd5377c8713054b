#include "server/x11_keymap.h"

#include <algorithm>
#include <stdexcept>
#include <xkbcommon/xkbcommon.h>

#include <X11/XKBlib.h>
#include <X11/keysym.h>

namespace latentdesk {

namespace {

// Keycode 8 is none of the kernel's keys, and some toolkits drop it.
constexpr int kFirstSpareCode = 9;

/// Modifiers as clients see them, and the layout.
XkbStateRec state_of(Display* display) {
  XkbStateRec state{};
  XkbGetState(display, XkbUseCoreKbd, &state);
  return state;
}

}  // namespace

uint32_t canonical(uint32_t keysym) {
  const bool is_named_key = keysym >= 0xfe00 && keysym <= 0xffff;
  if (is_named_key || keysym >= 0x10000000) return keysym;
  const uint32_t character = xkb_keysym_to_utf32(keysym);
  if (character < 0x20) return keysym;
  return character < 0x100 ? character : 0x01000000 | character;
}

bool is_modifier(uint32_t keysym) {
  return (keysym >= XK_Shift_L && keysym <= XK_Hyper_R) || keysym == XK_ISO_Level3_Shift ||
         keysym == XK_ISO_Level5_Shift || keysym == XK_Mode_switch || keysym == XK_Num_Lock ||
         keysym == XK_Scroll_Lock;
}

bool is_function(uint32_t keysym) {
  const bool is_dead = keysym >= 0xfe50 && keysym <= 0xfe93;
  const bool is_keypad = keysym >= XK_KP_Space && keysym <= XK_KP_Equal;
  const bool is_named = keysym >= 0xfe00 && keysym <= 0xffff;
  return (is_named && !is_dead && !is_keypad) || keysym >= 0x10000000;
}

uint32_t keysym_of(char32_t character) {
  if (character == '\n' || character == '\r') return XK_Return;
  if (character == '\t') return XK_Tab;
  return character < 0x20 ? 0 : xkb_utf32_to_keysym(character);
}

void X11Keymap::Free::operator()(_XkbDesc* map) const { XkbFreeKeyboard(map, XkbAllComponentsMask, True); }

X11Keymap::X11Keymap(X11Connection& connection) : connection_(connection) {
  int opcode = 0, event = 0, error = 0, major = XkbMajorVersion, minor = XkbMinorVersion;
  if (!XkbQueryExtension(connection_.get(), &opcode, &event, &error, &major, &minor))
    throw std::runtime_error("the X server has no XKB extension, so nobody can type; say --view-only");
  load();
}

void X11Keymap::load() {
  map_.reset(XkbGetMap(connection_.get(), XkbAllMapComponentsMask, XkbUseCoreKbd));
  connection_.check();
  if (!map_) throw std::runtime_error("the X server has no keymap");
  level_three_ = 0;
  for (int code = map_->min_key_code; code <= map_->max_key_code; ++code) {
    if (symbol_at(code, 0, 0) == XK_ISO_Level3_Shift) level_three_ |= map_->map->modmap[code];
  }
}

std::optional<Stroke> X11Keymap::find_stroke(uint32_t keysym) const {
  const XkbStateRec state = state_of(connection_.get());
  for (const unsigned toggled : {0u, unsigned{ShiftMask}, level_three_, ShiftMask | level_three_}) {
    if ((toggled & ~ShiftMask) == 0 && toggled != 0 && toggled != ShiftMask) continue;
    if (const auto code = find_at(keysym, state.mods ^ toggled, state.group))
      return Stroke{*code, (toggled & ShiftMask) != 0, (toggled & ~ShiftMask) != 0};
  }
  return std::nullopt;
}

std::optional<int> X11Keymap::find_at(uint32_t keysym, unsigned modifiers, unsigned group) const {
  const uint32_t wanted = canonical(keysym);
  for (int code = map_->min_key_code; code <= map_->max_key_code; ++code) {
    if (canonical(symbol(code, modifiers, group)) == wanted) return code;
  }
  return std::nullopt;
}

std::optional<int> X11Keymap::find_plain_key(uint32_t keysym) const {
  for (int code = map_->min_key_code; code <= map_->max_key_code; ++code) {
    for (unsigned group = 0; group < XkbKeyNumGroups(map_.get(), code); ++group) {
      if (symbol_at(code, 0, group) == keysym) return code;
    }
  }
  return std::nullopt;
}

std::optional<int> X11Keymap::find_modifier_key(uint32_t keysym) const {
  for (const unsigned level : {0u, 1u}) {
    for (int code = map_->min_key_code; code <= map_->max_key_code; ++code) {
      const bool acts = map_->map->modmap[code] != 0 || XkbKeyHasActions(map_.get(), code);
      if (acts && symbol_at(code, level, 0) == keysym) return code;
    }
  }
  return std::nullopt;
}

std::vector<int> X11Keymap::empty_codes() const {
  std::vector<int> codes;
  for (int code = map_->max_key_code; code >= std::max<int>(map_->min_key_code, kFirstSpareCode); --code) {
    const KeySym* symbols = XkbKeySymsPtr(map_.get(), code);
    const bool is_empty = std::all_of(symbols, symbols + XkbKeyNumSyms(map_.get(), code),
                                      [](KeySym symbol) { return symbol == NoSymbol; });
    if (is_empty && map_->map->modmap[code] == 0) codes.push_back(code);
  }
  return codes;
}

bool X11Keymap::gives_always(int code, uint32_t keysym) const {
  return XkbKeyNumGroups(map_.get(), code) == 1 && symbol_at(code, 0, 0) == keysym &&
         symbol_at(code, 1, 0) == keysym;
}

void X11Keymap::assign(int code, uint32_t keysym) {
  // A type that uses up Shift and Caps Lock, and the same keysym in both of its levels: neither changes it.
  int type = XkbAlphabeticIndex;
  XkbMapChangesRec changes{};
  changes.changed = XkbKeySymsMask;
  changes.first_key_sym = static_cast<KeyCode>(code);
  changes.num_key_syms = 1;
  const int groups = keysym == 0 ? 0 : 1;
  if (XkbChangeTypesOfKey(map_.get(), code, groups, XkbGroup1Mask, &type, &changes) != Success) return;
  for (int level = 0; level < 2 * groups; ++level) XkbKeySymsPtr(map_.get(), code)[level] = keysym;
  XkbChangeMap(connection_.get(), map_.get(), &changes);
}

uint32_t X11Keymap::symbol(int code, unsigned modifiers, unsigned group) const {
  unsigned used = 0;
  KeySym symbol = NoSymbol;
  const unsigned state = XkbBuildCoreState(modifiers, group);
  if (!XkbTranslateKeyCode(map_.get(), static_cast<KeyCode>(code), state, &used, &symbol)) return 0;
  const auto keysym = static_cast<uint32_t>(symbol);
  // As clients do: Caps Lock makes capitals where the key's type does not say what it does.
  return (modifiers & ~used & LockMask) != 0 ? xkb_keysym_to_upper(keysym) : keysym;
}

uint32_t X11Keymap::symbol_at(int code, unsigned level, unsigned group) const {
  if (group >= XkbKeyNumGroups(map_.get(), code)) return 0;
  if (level >= XkbKeyGroupWidth(map_.get(), code, group)) return 0;
  return static_cast<uint32_t>(XkbKeySymEntry(map_.get(), code, level, group));
}

}  // namespace latentdesk
