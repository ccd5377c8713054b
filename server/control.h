#pragma once

#include "common/stream/messages.h"

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace latentdesk {

/// Whether this is to count as doing something: moving the pointer is not, nor is letting go.
bool takes_control(const std::vector<InputEvent>& events);

/// Which viewer's keyboard and pointer count: one at a time (docs/protocol.md, "Input"). One thread.
class ControlRules {
 public:
  /// Without `enabled` nobody has control.
  explicit ControlRules(bool enabled) : enabled_(enabled) {}

  /// `may` have control: not view only.
  void join(uint64_t viewer, bool may);
  void leave(uint64_t viewer);

  /// The viewer has sent these; whether they count, which gives it control where nobody has it.
  bool admit(uint64_t viewer, const std::vector<InputEvent>& events);
  void wish(uint64_t viewer, bool take);

  /// Whether it has control, or could have it by doing something.
  bool may_act(uint64_t viewer) const;
  ControlState state_of(uint64_t viewer) const;
  std::optional<uint64_t> owner() const { return owner_; }

 private:
  bool may(uint64_t viewer) const { return enabled_ && able_.contains(viewer); }

  const bool enabled_;
  std::set<uint64_t> able_;
  std::optional<uint64_t> owner_;
};

}  // namespace latentdesk
