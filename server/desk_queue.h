#pragma once

#include "common/clock.h"
#include "common/stream/messages.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

namespace latentdesk {

/// Who had control has it no longer: what it holds down goes up, and what is still to be done for it is left
/// undone once it has had kPatience for it.
struct LetGo {};

using DeskCommand = std::variant<InputEvent, Clipboard, SizeWish, LetGo>;

/// What viewers do, on its way from the network thread to the desk thread. Drop policy: none, but for what
/// stands before a LetGo for too long; of consecutive moves, wishes for a size or LetGos only the last stays.
/// A full queue is said to the producer, which then stops to read until it is told that there is room.
class DeskQueue {
 public:
  /// By weight: an event weighs 1, more what takes the desk longer.
  static constexpr size_t kCapacity = 1024;
  /// For what a viewer did before it went.
  static constexpr std::chrono::milliseconds kPatience{200};

  /// `on_room` is called on the desk thread, once each time that the queue was full and is half empty.
  explicit DeskQueue(std::function<void()> on_room) : on_room_(std::move(on_room)) {}

  /// Always takes the command. False when the queue is now full. Network thread.
  bool push(DeskCommand command) {
    std::lock_guard lock(mutex_);
    if (!merge(command)) {
      if (std::holds_alternative<LetGo>(command) && !first_let_go_) first_let_go_ = SteadyClock::now();
      weight_ += weight_of(command);
      commands_.push_back(std::move(command));
    }
    is_full_ |= weight_ >= kCapacity;
    return !is_full_;
  }

  // Desk thread.

  std::optional<DeskCommand> pop() {
    std::optional<DeskCommand> first;
    if (remove_first(first)) on_room_();
    return first;
  }

  /// Removes all before the first LetGo if that has waited for too long; whether it has.
  bool drop_overdue(SteadyTime now) {
    bool has_room = false;
    {
      std::lock_guard lock(mutex_);
      if (!first_let_go_ || now < *first_let_go_ + kPatience) return false;
      while (!std::holds_alternative<LetGo>(commands_.front())) has_room |= remove_first_locked().second;
    }
    if (has_room) on_room_();
    return true;
  }

  /// When drop_overdue will have something to do.
  std::optional<SteadyTime> overdue_at() {
    std::lock_guard lock(mutex_);
    if (!first_let_go_) return std::nullopt;
    return *first_let_go_ + kPatience;
  }

 private:
  static size_t weight_of(const InputEvent& event) {
    if (const auto* text = std::get_if<TextInput>(&event)) return 1 + text->text.size();
    const auto* scroll = std::get_if<ScrollInput>(&event);
    return scroll ? size_t{1} + static_cast<size_t>(std::abs(scroll->dx) + std::abs(scroll->dy)) : 1;
  }
  static size_t weight_of(const DeskCommand& command) {
    const auto* event = std::get_if<InputEvent>(&command);
    return event ? weight_of(*event) : std::holds_alternative<Clipboard>(command) ? kCapacity : 1;
  }

  static bool is_move(const DeskCommand& command) {
    const auto* event = std::get_if<InputEvent>(&command);
    return event && std::holds_alternative<MoveInput>(*event);
  }

  /// Whether the last command gave its place.
  bool merge(DeskCommand& command) {
    if (commands_.empty()) return false;
    DeskCommand& last = commands_.back();
    const bool replaces = (is_move(last) && is_move(command)) || (std::holds_alternative<SizeWish>(last) &&
                                                                  std::holds_alternative<SizeWish>(command));
    if (replaces) last = std::move(command);
    return replaces;
  }

  bool remove_first(std::optional<DeskCommand>& first) {
    std::lock_guard lock(mutex_);
    if (commands_.empty()) return false;
    auto [command, has_room] = remove_first_locked();
    first = std::move(command);
    return has_room;
  }

  /// The command, and whether there is room again.
  std::pair<DeskCommand, bool> remove_first_locked() {
    DeskCommand first = std::move(commands_.front());
    commands_.pop_front();
    weight_ -= weight_of(first);
    if (std::holds_alternative<LetGo>(first)) {
      const bool has_more = std::any_of(commands_.begin(), commands_.end(), [](const DeskCommand& command) {
        return std::holds_alternative<LetGo>(command);
      });
      first_let_go_ = has_more ? std::optional(SteadyClock::now()) : std::nullopt;
    }
    const bool has_room = is_full_ && weight_ <= kCapacity / 2;
    if (has_room) is_full_ = false;
    return {std::move(first), has_room};
  }

  const std::function<void()> on_room_;
  std::mutex mutex_;
  std::deque<DeskCommand> commands_;
  size_t weight_ = 0;
  bool is_full_ = false;
  std::optional<SteadyTime> first_let_go_;
};

}  // namespace latentdesk
