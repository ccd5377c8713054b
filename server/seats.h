#pragma once

#include "server/control.h"
#include "server/desk.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace latentdesk {

class Seats;

/// A message as it goes out, shared by all who get the same.
using SharedText = std::shared_ptr<const std::string>;

/// A viewer of latentdesk.2 at the desk: from its hello to its end. What it is to be told waits here, one
/// message of a kind, the newest. Network thread only.
class Seat {
 public:
  /// As Seats::join.
  Seat(Seats& seats, uint64_t id, std::string name, std::function<void()> wake);
  /// What the viewer holds down goes up, and control is free.
  ~Seat();
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  /// The viewer is there: it has sent something.
  void hear() { heard_ = SteadyClock::now(); }
  void obey(const Input& input);
  void obey(const ControlWish& wish);
  void obey(const SizeWish& wish);
  void obey(const Clipboard& clipboard);
  /// Waits while the desk has not done what this viewer has sent. Before the next of its messages is read.
  boost::asio::awaitable<void> wait_for_room();

  /// The next message for the viewer; null when there is none.
  SharedText next();

 private:
  friend class Seats;
  void remember_move(const std::vector<InputEvent>& events);
  void tell(SharedText Seat::*kind, SharedText message);

  Seats* seats_;  ///< null once that is gone
  const uint64_t id_;
  const std::string name_;
  const std::function<void()> wake_;
  SteadyTime heard_ = SteadyClock::now();
  std::optional<MoveInput> unheeded_;  ///< the last one while it had no control
  bool is_ahead_ = false;              ///< of the desk: its queue was full
  std::optional<ControlState> state_;  ///< as told
  SharedText control_, cursor_, pointer_, clipboard_;
};

/// Who sits at the desk, and who of them has control. Between the sessions and the desk thread; network
/// thread only.
class Seats {
 public:
  /// Without a desk nobody has control, and there is nothing to tell.
  Seats(const boost::asio::any_io_executor& executor, Desk* desk);

  ~Seats();
  Seats(const Seats&) = delete;
  Seats& operator=(const Seats&) = delete;

  /// `name` is for the log; `may_control`: it may, and has not said view_only. `wake` is called when next()
  /// has something.
  std::unique_ptr<Seat> join(std::string name, bool may_control, std::function<void()> wake);

  bool has_clipboard() const { return desk_ && desk_->has_clipboard(); }
  bool can_resize() const { return desk_ && desk_->can_resize(); }
  bool has_input() const { return desk_ && desk_->has_input(); }

  // From the desk.
  void show_cursor(SharedText cursor);
  void show_pointer(const DeskPointer& pointer);
  void show_clipboard(std::string text);
  void make_room();

 private:
  friend class Seat;
  static constexpr std::chrono::seconds kMostSilence{2};

  void leave(Seat& seat);
  void push(Seat& seat, DeskCommand command);
  /// Tells everybody after `change`, and lets go of what the last owner holds.
  template <typename Change>
  void change_control(Change change);
  void tell_control();
  void watch_silence();
  Seat* owner();

  Desk* const desk_;
  ControlRules rules_;
  std::map<uint64_t, Seat*> seats_;
  uint64_t last_seat_ = 0;
  SharedText cursor_;
  std::optional<DeskPointer> pointer_;  ///< where it was last seen
  boost::asio::steady_timer room_;
  boost::asio::steady_timer silence_;
  bool watches_silence_ = false;
  SteadyTime last_press_{};
};

}  // namespace latentdesk
