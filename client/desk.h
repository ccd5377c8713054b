#pragma once

#include "client/clipboard.h"
#include "client/cursor.h"
#include "client/desk_news.h"
#include "client/input.h"
#include "client/native_window.h"
#include "client/options.h"
#include "client/renderer.h"
#include "client/size_wish.h"
#include "client/stream.h"
#include "client/x11_layout.h"

#include <SDL2/SDL_events.h>

#include <optional>
#include <string>

namespace latentdesk {

/// The remote desktop as something that is used: what the user does here goes there, and pointer, clipboard
/// and control come back. Main thread.
class Desk {
 public:
  Desk(const DeskOptions& options, Stream& stream, NativeWindow& window, Renderer& renderer);

  /// An event of SDL that is not the window's own business.
  void handle(const SDL_Event& event);
  /// SDL has nothing more to tell for now: sends what the user did, and looks at what the server told. True
  /// when the window is to be drawn again.
  bool end_turn(Size screen);
  /// When end_turn has something to do though nothing happens.
  std::optional<SteadyTime> next_deadline() const;

  /// The viewer takes the key that went down for itself: nothing stays held there.
  void let_go();
  void toggle_control();
  void toggle_grab();
  void send_ctrl_alt_del();

  /// The remote pointer, where another one moves it.
  void draw_pointer() const;
  /// Whose keyboard and pointer the desktop follows, in few words; empty where there is nothing to say.
  std::string role() const;
  /// Something to tell the user, once.
  std::optional<std::string> take_notice() { return std::exchange(notice_, std::nullopt); }

 private:
  bool take_news();
  void greet(const ServerHello& hello);
  void set_control(ControlState control);
  void disconnect();
  void handle_key(const SDL_KeyboardEvent& event);
  void handle_pointer(const SDL_Event& event);
  void handle_window(const SDL_WindowEvent& event);
  void send_input();
  void send_clipboard();
  void send_clipboard_first();
  std::optional<Clipboard> news_of_clipboard();
  void send_size(Size screen);
  void keep_alive();
  void send(const ViewerMessage& message);
  void look_at_pointer();
  bool may_act() const { return control_ == ControlState::yours || control_ == ControlState::free; }
  bool has_control() const { return control_ == ControlState::yours; }

  const DeskOptions options_;
  Stream& stream_;
  NativeWindow& window_;
  Renderer& renderer_;
  X11Layout layout_;
  InputGatherer input_;
  PointerLook pointer_look_;
  ClipboardSync clipboard_;
  SizeWisher size_wisher_;

  uint64_t connection_ = 0;           ///< 0: none that speaks latentdesk.2
  std::optional<ServerHello> hello_;  ///< of that connection
  ControlState control_ = ControlState::none;
  bool wished_control_ = false;                   ///< for --resize, over this connection
  std::optional<PointerPosition> other_pointer_;  ///< where the pointer is, moved by another one
  bool grabs_ = false;
  SteadyTime last_sent_;
  std::optional<std::string> notice_;
};

}  // namespace latentdesk
