#include "server/seats.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <array>

namespace latentdesk {

namespace asio = boost::asio;

namespace {

SharedText shared_message(const ServerMessage& message) {
  return std::make_shared<const std::string>(serialize(message));
}

bool presses(const std::vector<InputEvent>& events) {
  return std::any_of(events.begin(), events.end(), [](const InputEvent& event) {
    const auto* key = std::get_if<KeyInput>(&event);
    const auto* button = std::get_if<ButtonInput>(&event);
    return (key && key->down) || (button && button->down);
  });
}

}  // namespace

Seat::Seat(Seats& seats, uint64_t id, std::string name, std::function<void()> wake)
    : seats_(&seats), id_(id), name_(std::move(name)), wake_(std::move(wake)) {}

Seat::~Seat() {
  if (seats_) seats_->leave(*this);
}

void Seat::obey(const Input& input) {
  bool counts = false;
  seats_->change_control([&] { counts = seats_->rules_.admit(id_, input.events); });
  if (!counts) return remember_move(input.events);
  if (unheeded_) seats_->push(*this, InputEvent(*std::exchange(unheeded_, std::nullopt)));
  for (const InputEvent& event : input.events) seats_->push(*this, event);
  if (!presses(input.events)) return;
  seats_->last_press_ = SteadyClock::now();
  seats_->watch_silence();
}

/// A click that takes control is meant for where the pointer has been moved before.
void Seat::remember_move(const std::vector<InputEvent>& events) {
  for (const InputEvent& event : events) {
    if (const auto* move = std::get_if<MoveInput>(&event)) unheeded_ = *move;
  }
}

void Seat::obey(const ControlWish& wish) {
  seats_->change_control([&] { seats_->rules_.wish(id_, wish.take); });
}

void Seat::obey(const SizeWish& wish) {
  if (seats_->can_resize() && seats_->rules_.owner() == id_) seats_->push(*this, wish);
}

void Seat::obey(const Clipboard& clipboard) {
  if (seats_->has_clipboard() && seats_->rules_.may_act(id_)) seats_->push(*this, clipboard);
}

asio::awaitable<void> Seat::wait_for_room() {
  while (is_ahead_) {
    boost::system::error_code cancelled;
    co_await seats_->room_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
}

SharedText Seat::next() {
  for (SharedText Seat::*kind : {&Seat::control_, &Seat::cursor_, &Seat::pointer_, &Seat::clipboard_}) {
    if (this->*kind) return std::exchange(this->*kind, nullptr);
  }
  return nullptr;
}

void Seat::tell(SharedText Seat::*kind, SharedText message) {
  this->*kind = std::move(message);
  wake_();
}

Seats::Seats(const asio::any_io_executor& executor, Desk* desk)
    : desk_(desk),
      rules_(has_input()),
      room_(executor, asio::steady_timer::time_point::max()),
      silence_(executor) {}

// Sessions end only with the context that they run on.
Seats::~Seats() {
  for (const auto& [id, seat] : seats_) seat->seats_ = nullptr;
}

std::unique_ptr<Seat> Seats::join(std::string name, bool may_control, std::function<void()> wake) {
  auto seat = std::make_unique<Seat>(*this, ++last_seat_, std::move(name), std::move(wake));
  seats_.emplace(seat->id_, seat.get());
  rules_.join(seat->id_, may_control);
  seat->cursor_ = cursor_;
  if (pointer_) seat->pointer_ = shared_message(PointerPosition{pointer_->x, pointer_->y});
  tell_control();
  return seat;
}

void Seats::leave(Seat& seat) {
  seats_.erase(seat.id_);
  change_control([&] { rules_.leave(seat.id_); });
}

void Seats::push(Seat& seat, DeskCommand command) {
  if (!desk_->push(std::move(command))) seat.is_ahead_ = true;
}

template <typename Change>
void Seats::change_control(Change change) {
  const auto before = rules_.owner();
  change();
  if (rules_.owner() == before) return;
  if (before) desk_->push(LetGo{});
  desk_->watch_clipboard(rules_.owner().has_value());
  if (const Seat* now = owner()) spdlog::debug("{}: has control", now->name_);
  tell_control();
}

void Seats::tell_control() {
  constexpr std::array kStates{ControlState::none, ControlState::free, ControlState::yours,
                               ControlState::taken};
  std::array<SharedText, kStates.size()> messages;
  for (const auto& [id, seat] : seats_) {
    const ControlState state = rules_.state_of(id);
    if (seat->state_ == state) continue;
    seat->state_ = state;
    SharedText& message = messages[static_cast<size_t>(state)];
    if (!message) message = shared_message(Control{state});
    seat->tell(&Seat::control_, message);
  }
}

Seat* Seats::owner() {
  const auto found = rules_.owner() ? seats_.find(*rules_.owner()) : seats_.end();
  return found == seats_.end() ? nullptr : found->second;
}

void Seats::show_cursor(SharedText cursor) {
  cursor_ = std::move(cursor);
  for (const auto& [id, seat] : seats_) seat->tell(&Seat::cursor_, cursor_);
}

void Seats::show_pointer(const DeskPointer& pointer) {
  pointer_ = pointer;
  const SharedText message = shared_message(PointerPosition{pointer.x, pointer.y});
  for (const auto& [id, seat] : seats_) {
    if (!pointer.follows_viewer || rules_.owner() != id) seat->tell(&Seat::pointer_, message);
  }
}

void Seats::show_clipboard(std::string text) {
  if (Seat* seat = owner()) seat->tell(&Seat::clipboard_, shared_message(Clipboard{std::move(text)}));
}

void Seats::make_room() {
  for (const auto& [id, seat] : seats_) seat->is_ahead_ = false;
  room_.cancel();
}

/// While something is held down, looks whether the viewer is still there.
void Seats::watch_silence() {
  if (watches_silence_) return;
  Seat* seat = owner();
  if (!seat) return;
  watches_silence_ = true;
  silence_.expires_at(seat->heard_ + kMostSilence);
  silence_.async_wait([this](boost::system::error_code error) {
    watches_silence_ = false;
    const Seat* holder = owner();
    const auto now = SteadyClock::now();
    if (error || !holder || (!desk_->is_holding() && now > last_press_ + kMostSilence)) return;
    if (now < holder->heard_ + kMostSilence) return watch_silence();
    if (!desk_->is_holding()) return;
    spdlog::info("{}: silent for 2 s with something held down, which is released", holder->name_);
    desk_->push(LetGo{});
  });
}

}  // namespace latentdesk
