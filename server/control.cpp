#include "server/control.h"

#include <algorithm>

namespace latentdesk {

namespace {

bool is_deed(const KeyInput& key) { return key.down; }
bool is_deed(const ButtonInput& button) { return button.down; }
bool is_deed(const ScrollInput&) { return true; }
bool is_deed(const TextInput&) { return true; }
bool is_deed(const MoveInput&) { return false; }
bool is_deed(const ReleaseInput&) { return false; }

}  // namespace

bool takes_control(const std::vector<InputEvent>& events) {
  return std::any_of(events.begin(), events.end(), [](const InputEvent& event) {
    return std::visit([](const auto& content) { return is_deed(content); }, event);
  });
}

void ControlRules::join(uint64_t viewer, bool may) {
  if (may) able_.insert(viewer);
}

void ControlRules::leave(uint64_t viewer) {
  able_.erase(viewer);
  if (owner_ == viewer) owner_.reset();
}

bool ControlRules::admit(uint64_t viewer, const std::vector<InputEvent>& events) {
  if (!owner_ && may(viewer) && takes_control(events)) owner_ = viewer;
  return owner_ == viewer;
}

void ControlRules::wish(uint64_t viewer, bool take) {
  if (take && may(viewer)) owner_ = viewer;
  if (!take && owner_ == viewer) owner_.reset();
}

bool ControlRules::may_act(uint64_t viewer) const { return may(viewer) && owner_.value_or(viewer) == viewer; }

ControlState ControlRules::state_of(uint64_t viewer) const {
  if (!may(viewer)) return ControlState::none;
  if (!owner_) return ControlState::free;
  return owner_ == viewer ? ControlState::yours : ControlState::taken;
}

}  // namespace latentdesk
