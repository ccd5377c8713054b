#include "client/input.h"

#include "client/keysyms.h"

#include <SDL2/SDL_mouse.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace latentdesk {

namespace {

/// X11's number of SDL's button; 0 for those that the wire has none for.
int button_number(int button) {
  switch (button) {
    case SDL_BUTTON_LEFT:
      return 1;
    case SDL_BUTTON_MIDDLE:
      return 2;
    case SDL_BUTTON_RIGHT:
      return 3;
    case SDL_BUTTON_X1:
      return 8;
    case SDL_BUTTON_X2:
      return 9;
    default:
      return 0;
  }
}

}  // namespace

int WheelAccumulator::add(double notches) {
  if (notches * rest_ < 0) rest_ = 0;
  rest_ += std::clamp(notches, -double{kMaxScroll}, double{kMaxScroll});
  // A sum of fractions misses whole numbers by a little.
  const double whole = std::trunc(rest_ + std::copysign(1e-4, rest_));
  rest_ -= whole;
  return static_cast<int>(std::clamp(whole, -double{kMaxScroll}, double{kMaxScroll}));
}

void InputGatherer::move(ViewFit::Point pixel) {
  const MoveInput move{pixel.x, pixel.y};
  if (!events_.empty() && std::holds_alternative<MoveInput>(events_.back())) {
    events_.back() = move;
  } else {
    events_.push_back(move);
  }
}

void InputGatherer::button(int button, bool down, ViewFit::Point pixel) {
  const int number = button_number(button);
  if (number == 0) return;
  move(pixel);  // so that it counts where it was seen, whatever became of the moves before
  events_.push_back(ButtonInput{number, down});
  buttons_[static_cast<size_t>(number)] = down;
}

void InputGatherer::scroll(double right, double down) {
  const ScrollInput whole{wheel_x_.add(right), wheel_y_.add(down)};
  if (whole != ScrollInput{}) events_.push_back(whole);
}

void InputGatherer::chord(const std::vector<uint32_t>& keysyms) {
  for (const uint32_t keysym : keysyms) events_.push_back(KeyInput{keysym, true});
  std::for_each(keysyms.rbegin(), keysyms.rend(), [this](uint32_t keysym) {
    events_.push_back(KeyInput{keysym, false});
  });
}

void InputGatherer::release() {
  if (!holds()) return;
  keys_.forget();
  buttons_.reset();
  events_.push_back(ReleaseInput{});
}

void InputGatherer::forget() {
  keys_.forget();
  buttons_.reset();
  events_.clear();
}

bool InputGatherer::is_deed() const {
  return std::any_of(events_.begin(), events_.end(), [](const InputEvent& event) {
    const auto* key = std::get_if<KeyInput>(&event);
    if (key) return !is_modifier(key->keysym);
    return !std::holds_alternative<MoveInput>(event) && !std::holds_alternative<ReleaseInput>(event);
  });
}

std::vector<Input> InputGatherer::take() {
  std::vector<Input> messages;
  for (auto begin = events_.begin(); begin != events_.end();) {
    const auto count = std::min<std::ptrdiff_t>(events_.end() - begin, kMaxInputEvents);
    messages.push_back({{begin, begin + count}});
    begin += count;
  }
  events_.clear();
  return messages;
}

}  // namespace latentdesk
