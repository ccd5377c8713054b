#pragma once

#include "common/stream/screen_state.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace latentdesk {

/// What a viewer's canvas shows, as far as the server knows.
struct KnownCanvas {
  ViewerState state;
  uint64_t epoch = 0;  ///< of `state`; 0: there is no canvas
};

/// What a viewer surely has, and what has been sent to it since. The canvas follows from the updates that
/// were applied, in their order, and from nothing else; so when a connection was lost and the viewer says how
/// many those were, playing the same ones again gives what it shows, to the block. One thread uses it.
class ResumeLog {
 public:
  /// The updates that follow begin with an empty canvas.
  void begin(KnownCanvas empty);
  /// After `begin`.
  void sent(const Update& update);
  /// The viewer has applied so many since the log, or the last rewind, began. Fewer than before, or more than
  /// were sent, count for nothing.
  void acknowledged(uint64_t updates);

  /// The canvas after so many updates, where the log then begins again. Without a canvas when they are fewer
  /// than were acknowledged, or more than were sent.
  KnownCanvas rewind(uint64_t updates);

  /// What the log holds, which is what it costs.
  size_t operations() const { return operations_; }

 private:
  struct Sent {
    std::shared_ptr<const Operations> operations;
    uint64_t number = 0;
    std::optional<KnownCanvas> begins;  ///< the canvas was emptied before it
  };

  void apply_first();

  KnownCanvas applied_;
  uint64_t acknowledged_ = 0;
  std::deque<Sent> unacknowledged_;
  size_t operations_ = 0;
  std::optional<KnownCanvas> begins_;
};

}  // namespace latentdesk
