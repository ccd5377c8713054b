#pragma once

#include "common/image.h"
#include "common/protocol.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

// The messages of latentdesk.2 other than `update` (docs/protocol.md is the norm). Times are milliseconds by
// the clock of whoever names them.

namespace latentdesk {

/// Both ways. The answer carries `time` back, so that who asked learns the round trip and the clocks' offset.
struct Ping {
  double time = 0;
  bool operator==(const Ping&) const = default;
};
struct Pong {
  double time = 0;      ///< of the ping, by its sender's clock
  double received = 0;  ///< by the answerer's clock
  double sent = 0;
  bool operator==(const Pong&) const = default;
};

/// The viewer's first message.
struct ViewerHello {
  std::optional<std::string> token;
  uint64_t cache_bytes = 0;  ///< that it keeps for tiles to recall
  bool operator==(const ViewerHello&) const = default;
};

/// The viewer has applied, or with `--no-decode` received, so many updates since `hello`.
struct Ack {
  uint64_t updates = 0;
  bool operator==(const Ack&) const = default;
};

/// The viewer wishes no more quality than this, from 1 to 100.
struct QualityWish {
  int value = 0;
  bool operator==(const QualityWish&) const = default;
};

/// The viewer's canvas is lost: everything is to be sent again.
struct Refresh {
  bool operator==(const Refresh&) const = default;
};

using ViewerMessage = std::variant<ViewerHello, Ack, Ping, Pong, QualityWish, Refresh>;

/// The server's first message.
struct ServerHello {
  std::string model_ver;
  std::string device;  ///< what it encodes on
  double time = 0;     ///< now, by the clock of the updates' times
  uint32_t slots = 0;  ///< that it will use, numbered from 0
  bool operator==(const ServerHello&) const = default;
};

/// The screen has this size from now on, and the canvas is black. Comes before the first update.
struct Resize {
  Size size;
  bool operator==(const Resize&) const = default;
};

/// Something to tell the user.
struct Notice {
  std::string text;
  bool operator==(const Notice&) const = default;
};

/// The server closes, and why.
struct Bye {
  std::string reason;
  bool operator==(const Bye&) const = default;
};

/// `update`: its header is for parse_update_header.
struct UpdateAhead {
  bool operator==(const UpdateAhead&) const = default;
};

using ServerMessage = std::variant<ServerHello, Resize, UpdateAhead, Ping, Pong, Notice, Bye>;

/// Each throws ProtocolError for an unknown type, and for a field that is missing or outside its range.
ViewerMessage parse_viewer_message(ByteView message, bool is_text);
ServerMessage parse_server_message(std::string_view header);

/// JSON text.
std::string serialize(const ViewerMessage& message);
/// Length prefix and header; for all but UpdateAhead, the whole message.
std::string serialize(const ServerMessage& message);

}  // namespace latentdesk
