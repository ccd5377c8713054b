#pragma once

#include "common/clock.h"
#include "server/desk.h"
#include "server/x11_connection.h"

#include <optional>
#include <set>

union _XEvent;  // NOLINT(bugprone-reserved-identifier): Xlib's name

namespace latentdesk {

/// Moves the server's pointer, through XTest, and tells where it is. Desk thread.
class X11Pointer {
 public:
  explicit X11Pointer(X11Connection& connection);
  ~X11Pointer() { release_all(); }
  X11Pointer(const X11Pointer&) = delete;
  X11Pointer& operator=(const X11Pointer&) = delete;

  void move(int x, int y);
  void press(int button);
  void release(int button);
  void release_all();
  /// One click of a wheel's button for each notch.
  void scroll(int dx, int dy);
  bool holds_any() const { return !held_.empty(); }

  /// Takes an event that is about the pointer.
  bool handle(const _XEvent& event, SteadyTime now);
  /// It may have moved.
  void look_soon(SteadyTime now);
  /// Where it is, if it is time to look, and it is elsewhere than it was. It is looked at a frame's time
  /// after it has moved, so that a program that moves it in turn is seen too.
  std::optional<DeskPointer> look(SteadyTime now);
  /// When look has something to do.
  std::optional<SteadyTime> next_look() const { return look_at_; }

 private:
  X11Connection& connection_;
  const int xinput_opcode_;  ///< -1: there is no XInput
  std::set<int> held_;
  std::optional<std::pair<int, int>> put_;  ///< where a viewer has put it
  std::optional<SteadyTime> look_at_;
  std::optional<DeskPointer> seen_;
};

}  // namespace latentdesk
