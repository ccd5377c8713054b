#pragma once

#include "common/image.h"
#include "common/protocol.h"
#include "common/stream/input.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

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

inline constexpr size_t kMaxClipboardBytes = 1 << 20;
inline constexpr int kMaxCursorSide = 256;
/// From a viewer of latentdesk.2, once it may look; kMaxClientMessageBytes before.
inline constexpr size_t kMaxViewerMessageBytes = kMaxClipboardBytes + 1024;

/// Both ways, the text as the message's payload: somebody has copied this. UTF-8.
struct Clipboard {
  std::string text;
  bool operator==(const Clipboard&) const = default;
};

/// What a viewer still has of a session whose connection was lost.
struct Resumption {
  std::string session;   ///< ServerHello's
  uint64_t updates = 0;  ///< that it has applied, as in its last Ack or later
  bool operator==(const Resumption&) const = default;
};

/// The viewer's first message.
struct ViewerHello {
  std::optional<std::string> token = {};
  uint64_t cache_bytes = 0;  ///< that it keeps for tiles to recall
  bool view_only = false;    ///< it will not ask for control
  std::optional<Resumption> resume = {};
  bool operator==(const ViewerHello&) const = default;
};

/// Ignored from a viewer that has no control.
struct Input {
  std::vector<InputEvent> events;
  bool operator==(const Input&) const = default;
};

/// The viewer takes control, from whoever has it, or gives it up.
struct ControlWish {
  bool take = false;
  bool operator==(const ControlWish&) const = default;
};

/// The viewer wishes that the screen had this size. Ignored from a viewer that has no control.
struct SizeWish {
  Size size;
  bool operator==(const SizeWish&) const = default;
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

using ViewerMessage =
    std::variant<ViewerHello, Ack, Ping, Pong, QualityWish, Refresh, Input, ControlWish, SizeWish, Clipboard>;

/// The server's first message.
struct ServerHello {
  std::string model_ver;
  std::string device;        ///< what it encodes on
  double time = 0;           ///< now, by the clock of the updates' times
  uint32_t slots = 0;        ///< that it will use, numbered from 0
  std::string session = {};  ///< to resume it after the connection is lost; empty: it cannot be
  bool resumed = false;      ///< the canvas and the slots are as the viewer has them
  bool clipboard = false;    ///< it takes and sends what is copied
  bool resizable = false;    ///< SizeWish may be granted
  bool operator==(const ServerHello&) const = default;
};

/// The screen has this size from now on, and the canvas is black. Comes before the first update.
struct Resize {
  Size size;
  bool operator==(const Resize&) const = default;
};

/// Whose keyboard and pointer the screen follows.
enum class ControlState {
  none,   ///< nobody's, or this viewer may only look
  free,   ///< who types or clicks first has it
  yours,  ///< this viewer's
  taken,  ///< another viewer's
};

struct Control {
  ControlState state = ControlState::none;
  bool operator==(const Control&) const = default;
};

/// How the pointer looks; the viewer draws it. Size 0x0: it is hidden.
struct CursorShape {
  Size size;
  int hot_x = 0, hot_y = 0;          ///< the pixel that points, within the picture
  std::vector<uint8_t> pixels = {};  ///< BGRA, alpha not multiplied in, 4 * width * height bytes
  bool operator==(const CursorShape&) const = default;
};

/// The pointer is there, not moved by this viewer.
struct PointerPosition {
  int x = 0, y = 0;
  bool operator==(const PointerPosition&) const = default;
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

using ServerMessage = std::variant<ServerHello, Resize, UpdateAhead, Ping, Pong, Notice, Bye, Control,
                                   CursorShape, PointerPosition, Clipboard>;

/// Each throws ProtocolError for an unknown type, and for a field that is missing or outside its range.
ViewerMessage parse_viewer_message(ByteView message, bool is_text);
ServerMessage parse_server_message(const MessageView& message);

/// Text that must be well-formed UTF-8 (RFC 3629), which JSON and clipboards are.
bool is_utf8(std::string_view text);

/// Length prefix, header and payload.
std::string serialize(const ViewerMessage& message);
/// Length prefix, header and payload; of UpdateAhead without the payload.
std::string serialize(const ServerMessage& message);

}  // namespace latentdesk
