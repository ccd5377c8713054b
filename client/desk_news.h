#pragma once

#include "common/stream/messages.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace latentdesk {

/// What the server told of the desktop besides its pixels; what it did not tell is empty.
struct DeskNews {
  uint64_t connection = 0;  ///< that all of it came over; 0: none yet
  std::optional<ServerHello> hello = {};
  std::optional<ControlState> control = {};
  std::optional<CursorShape> cursor = {};
  std::optional<PointerPosition> pointer = {};
  std::optional<std::string> clipboard = {};
  std::optional<std::string> notice = {};
};

/// Hands news from the decode thread to the main thread. Drop policy: each kind has one slot, and what is
/// newer replaces what was not taken, since only the newest state counts; so it holds no more than one
/// clipboard and one cursor, however much a server sends.
class DeskNewsBox {
 public:
  /// Decode thread.
  void put(uint64_t connection, ServerMessage message);
  /// Main thread.
  DeskNews take();

 private:
  std::mutex mutex_;
  DeskNews news_;
};

}  // namespace latentdesk
