#pragma once

#include "client/key_translator.h"
#include "client/view_fit.h"
#include "common/stream/messages.h"

#include <bitset>
#include <optional>
#include <vector>

namespace latentdesk {

/// Gathers fractions of the wheel's notches, which touch pads and fine wheels give.
class WheelAccumulator {
 public:
  /// Whole notches that are due. A turn in the other direction begins anew.
  int add(double notches);

 private:
  double rest_ = 0;
};

/// What the user did with keyboard and pointer, gathered until it is sent. Nothing is dropped; only moves
/// that follow each other become one. Main thread.
class InputGatherer {
 public:
  explicit InputGatherer(Layout layout) : keys_(std::move(layout)) {}

  void key_down(const KeyStroke& key, bool is_repeat) { keys_.key_down(key, is_repeat, events_); }
  void key_up(int scancode) { keys_.key_up(scancode, events_); }
  void text(const std::string& utf8) { keys_.text(utf8, events_); }
  void swallow_text() { keys_.swallow_text(); }

  /// The pointer is at this pixel of the picture.
  void move(ViewFit::Point pixel);
  /// `button` is SDL's; others than the five of X11 are ignored.
  void button(int button, bool down, ViewFit::Point pixel);
  /// Notches, to the right and down.
  void scroll(double right, double down);

  /// Keys that go down one after the other, and up again.
  void chord(const std::vector<uint32_t>& keysyms);
  /// Lets go of all that is held; what was gathered before goes first.
  void release();
  /// Drops what was gathered and forgets what is held: nobody listens.
  void forget();

  /// Something was done since the last call of `take`, and not only the pointer moved or a modifier pressed.
  bool is_deed() const;
  /// A key or a button is down.
  bool holds() const { return keys_.holds() || buttons_.any(); }

  /// SDL has nothing more to tell for now.
  void settle() { keys_.settle(events_); }
  /// All since the last call, in messages of at most kMaxInputEvents.
  std::vector<Input> take();

 private:
  KeyTranslator keys_;
  WheelAccumulator wheel_x_, wheel_y_;
  std::bitset<kMaxButton + 1> buttons_;
  std::vector<InputEvent> events_;
};

}  // namespace latentdesk
