#include "client/size_wish.h"

namespace latentdesk {

namespace {

using namespace std::chrono_literals;

constexpr auto kRest = 250ms;

}  // namespace

void SizeWisher::window_is(Size size, SteadyTime now) {
  if (size == window_) return;
  window_ = size;
  since_ = now;
}

std::optional<Size> SizeWisher::due(Size screen, SteadyTime now) {
  if (window_ == asked_ || !is_valid(window_) || now < since_ + kRest) return std::nullopt;
  asked_ = window_;
  if (window_ == screen) return std::nullopt;
  return window_;
}

std::optional<SteadyTime> SizeWisher::next() const {
  if (window_ == asked_ || !is_valid(window_)) return std::nullopt;
  return since_ + kRest;
}

}  // namespace latentdesk
