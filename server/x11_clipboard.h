#pragma once

#include "common/clock.h"
#include "server/x11_connection.h"
#include "server/x11_selection_owner.h"

#include <array>
#include <functional>
#include <optional>
#include <string>

union _XEvent;  // NOLINT(bugprone-reserved-identifier): Xlib's name

namespace latentdesk {

/// The text that was copied last, both ways (ICCCM, section 2). It waits for no other program: each step is
/// answered by an event, or given up after some seconds. Desk thread.
class X11Clipboard {
 public:
  /// `on_copied` gets what a program of the desktop has copied: UTF-8, at most kMaxClipboardBytes.
  X11Clipboard(X11Connection& connection, std::function<void(std::string)> on_copied);
  ~X11Clipboard();
  X11Clipboard(const X11Clipboard&) = delete;
  X11Clipboard& operator=(const X11Clipboard&) = delete;

  /// Programs paste this from now on, from the clipboard and as the primary selection.
  void set(std::string text);
  /// Whether anybody wants to know what is copied; at first nobody.
  void watch(bool wanted) { is_wanted_ = wanted; }

  /// Takes an event that is about selections.
  bool handle(const _XEvent& event, SteadyTime now);
  /// Gives up what has waited for too long.
  void expire(SteadyTime now);
  /// When expire has something to do.
  std::optional<SteadyTime> next_expiry() const;

 private:
  using Atom = unsigned long;
  struct Atoms {
    Atom clipboard, text, latin1, incr;
  };
  /// A text on its way to us.
  struct Fetch {
    Atom target = 0;
    Atom property = 0;       ///< where it comes
    unsigned long time = 0;  ///< the request's, which its answer names
    bool in_pieces = false;
    std::string text = {};
    SteadyTime deadline = {};
  };

  void fetch(Atom target, unsigned long time, SteadyTime now);
  void take_answer(Atom property, SteadyTime now);
  void take_piece(SteadyTime now);
  /// Appends what the property holds. False when it is too long.
  bool read_property(Atom& type, size_t& bytes);
  void finish();

  X11Connection& connection_;
  const std::function<void(std::string)> on_copied_;
  unsigned long window_ = 0;
  Atoms atoms_{};
  std::array<Atom, 8>
      transfers_{};  ///< properties, used in turn: a late answer must not replace the next one
  size_t next_transfer_ = 0;
  int xfixes_event_ = 0;
  bool is_wanted_ = false;
  std::optional<Fetch> fetch_;
  std::optional<std::string> known_;  ///< what the owner's text is, when we know
  std::optional<X11SelectionOwner> owner_;
};

}  // namespace latentdesk
