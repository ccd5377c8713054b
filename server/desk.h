#pragma once

#include "server/desk_queue.h"
#include "server/wake.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace latentdesk {

class X11Desk;

struct DeskOptions {
  std::string display;    ///< as in $DISPLAY; empty for that
  bool input = true;      ///< viewers may type, point, and set the size
  bool clipboard = true;  ///< viewers may paste and copy
  bool resize = true;     ///< viewers may set the size
  bool cursor = true;     ///< viewers see the pointer
};

/// Where the pointer is.
struct DeskPointer {
  int x = 0, y = 0;
  bool follows_viewer = false;  ///< it is where the viewer with control has put it
  bool operator==(const DeskPointer&) const = default;
};

/// All called on the desk thread.
struct DeskEvents {
  std::function<void(CursorShape)> on_cursor;
  std::function<void(DeskPointer)> on_pointer;
  std::function<void(std::string)> on_clipboard;  ///< a program has copied this
  std::function<void()> on_room;                  ///< the queue was full, and is not any more
};

/// What a person has on the desk besides the screen: keyboard, pointer, clipboard, and the screen's size. Has
/// an X connection of its own, on a thread of its own, so that the network never waits for the X server.
/// Sleeps until the server, or a viewer, has something. An X server that goes away is waited for.
class Desk {
 public:
  /// Throws CaptureLost when there is no such display, std::runtime_error when it lacks an extension.
  Desk(const DeskOptions& options, DeskEvents events);
  ~Desk();

  /// The desk thread's whole life.
  void run();
  /// Any thread. What viewers hold down is released.
  void stop();

  // Network thread.

  /// Always takes the command; false when the queue is full, and on_room will come.
  bool push(DeskCommand command);
  /// Whether anybody wants on_clipboard.
  void watch_clipboard(bool wanted);

  // Any thread.

  bool has_input() const { return options_.input; }
  bool has_clipboard() const { return options_.input && options_.clipboard; }
  bool can_resize() const { return can_resize_; }
  /// Whether keys or buttons are down that viewers hold.
  bool is_holding() const { return is_holding_; }

 private:
  std::unique_ptr<X11Desk> open();
  void serve(X11Desk& desk);
  void wait_for_server();

  const DeskOptions options_;
  const DeskEvents events_;
  Wake wake_;
  DeskQueue queue_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> clipboard_wanted_{false};
  std::atomic<bool> can_resize_{false};
  std::atomic<bool> is_holding_{false};
  std::unique_ptr<X11Desk> desk_;
};

}  // namespace latentdesk
