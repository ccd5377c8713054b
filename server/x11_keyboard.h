#pragma once

#include "common/clock.h"
#include "server/x11_keymap.h"

#include <map>
#include <optional>
#include <vector>

union _XEvent;  // NOLINT(bugprone-reserved-identifier): Xlib's name

namespace latentdesk {

/// Types on the server's keyboard, through XTest, what a viewer types on its own, whatever the two layouts
/// are. Desk thread.
///
/// A keysym of the layout that is on is typed by its key; Shift and AltGr are pressed or released for it
/// where they must be, until the next event, so that the key also repeats right. Any other is put on a spare
/// keycode. Clients read the new keymap when they meet the key's event, which may be late, so a spare keycode
/// keeps its keysym for a while after its last use; the one that was not used for longest is taken first.
class X11Keyboard {
 public:
  /// Throws std::runtime_error when the server cannot do it.
  explicit X11Keyboard(X11Connection& connection);
  /// Leaves the server's keymap as it was.
  ~X11Keyboard();
  X11Keyboard(const X11Keyboard&) = delete;
  X11Keyboard& operator=(const X11Keyboard&) = delete;

  /// Takes an event that is about the keymap.
  bool handle(const _XEvent& event);

  /// Done when nothing comes back; else when to try the same again.
  std::optional<SteadyTime> press(uint32_t keysym, SteadyTime now);
  /// Nothing when it is not held.
  void release(uint32_t keysym);
  void release_all();
  /// Presses and releases; as press.
  std::optional<SteadyTime> type(char32_t character, SteadyTime now);

  bool holds_any() const { return !held_.empty(); }
  /// Shift and AltGr are again as the viewer has them. Before anything else is done with them.
  void restore_modifiers();

 private:
  struct Spare {
    int code = 0;
    uint32_t keysym = 0;  ///< 0: none yet
    SteadyTime mapped{};
    SteadyTime used{};
  };

  /// A modifier that is not as the viewer has it.
  struct Toggled {
    uint32_t keysym = 0;
    int code = 0;
    bool pressed = false;  ///< by us, else released
  };

  void refresh_map();
  void press_key(uint32_t keysym, int code);
  void press_modifier(uint32_t keysym);
  Spare* spare_with(uint32_t keysym);
  std::optional<SteadyTime> press_spare(Spare& spare, uint32_t keysym, SteadyTime now);
  std::optional<SteadyTime> map_spare(uint32_t keysym, SteadyTime now);
  /// Changes whether a modifier is down that has these two keys.
  void toggle(uint32_t keysym, uint32_t other);
  void restore_modifiers_unless(int code);
  bool is_held(int code) const;
  void fake(int code, bool down);

  X11Connection& connection_;
  X11Keymap map_;
  int xkb_event_ = 0;
  bool is_stale_ = true;
  std::vector<Spare> spares_;
  std::map<uint32_t, int> held_;  ///< keysym to keycode
  std::vector<Toggled> toggled_;
  int key_of_toggles_ = 0;  ///< keycode that they are for
};

}  // namespace latentdesk
