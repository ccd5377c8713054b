#pragma once

#include "server/desk.h"
#include "server/x11_clipboard.h"
#include "server/x11_connection.h"
#include "server/x11_keyboard.h"
#include "server/x11_pointer.h"

#include <deque>
#include <optional>

namespace latentdesk {

/// The desk of one X server, as long as that is there. Every method throws CaptureLost when it is gone. Desk
/// thread.
class X11Desk {
 public:
  X11Desk(const DeskOptions& options, const DeskEvents& events);

  bool can_resize();
  bool is_holding() const { return (keyboard_ && keyboard_->holds_any()) || pointer_.holds_any(); }
  void watch_clipboard(bool wanted) {
    if (clipboard_) clipboard_->watch(wanted);
  }

  /// Does what the server and the queue have. When there will be more to do without either, if ever.
  std::optional<SteadyTime> work(DeskQueue& queue);
  /// Blocks until the server has something, `wake_fd` is readable or `deadline` has come.
  void wait(int wake_fd, std::optional<SteadyTime> deadline);

 private:
  void handle_events(SteadyTime now);
  std::optional<SteadyTime> obey_queue(DeskQueue& queue);
  // Nothing when done; else when to try the same again.
  std::optional<SteadyTime> obey(const DeskCommand& command, SteadyTime now);
  std::optional<SteadyTime> obey(const InputEvent& event, SteadyTime now);
  std::optional<SteadyTime> type_text(const std::string& text, SteadyTime now);
  void release_all();
  void report_cursor();

  const DeskOptions options_;
  const DeskEvents& events_;
  X11Connection connection_;
  std::optional<X11Keyboard> keyboard_;  ///< nothing: viewers do not type
  X11Pointer pointer_;
  std::optional<X11Clipboard> clipboard_;
  int xfixes_event_ = -1000;  ///< never that of an event while the extension is not there
  bool cursor_changed_ = true;
  std::optional<CursorShape> cursor_;  ///< as reported
  std::optional<DeskCommand> current_;
  SteadyTime current_since_{};
  size_t typed_ = 0;  ///< bytes of the current text
};

}  // namespace latentdesk
