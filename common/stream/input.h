#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

// What a person does with keyboard and pointer, in the order in which it was done (docs/protocol.md,
// "Input").

namespace latentdesk {

/// A key, by the keysym (X11's numbers, as in RFB) that the viewer's layout gives it.
struct KeyInput {
  uint32_t keysym = 0;
  bool down = false;
  bool operator==(const KeyInput&) const = default;
};

/// The pointer is at this pixel of the screen.
struct MoveInput {
  int x = 0, y = 0;
  bool operator==(const MoveInput&) const = default;
};

/// X11's numbers: 1 left, 2 middle, 3 right, 8 back, 9 forward.
struct ButtonInput {
  int button = 0;
  bool down = false;
  bool operator==(const ButtonInput&) const = default;
};

/// Notches of the wheel, to the right and down.
struct ScrollInput {
  int dx = 0, dy = 0;
  bool operator==(const ScrollInput&) const = default;
};

/// Text that was not typed key by key: of an input method, or put together from dead keys. UTF-8.
struct TextInput {
  std::string text;
  bool operator==(const TextInput&) const = default;
};

/// The viewer lost the keyboard: all that it holds down is up.
struct ReleaseInput {
  bool operator==(const ReleaseInput&) const = default;
};

using InputEvent = std::variant<KeyInput, MoveInput, ButtonInput, ScrollInput, TextInput, ReleaseInput>;

inline constexpr size_t kMaxInputEvents = 256;  ///< in one message
inline constexpr size_t kMaxInputTextBytes = 1024;
inline constexpr int kMaxScroll = 100;
inline constexpr int kMaxButton = 9;

/// Throws ProtocolError. Coordinates are within the largest screen, not yet within this one.
std::vector<InputEvent> parse_input_events(const nlohmann::json& events);
nlohmann::json json_of(const std::vector<InputEvent>& events);

}  // namespace latentdesk
