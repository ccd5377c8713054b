#include "common/stream/messages.h"

#include "common/deflate.h"
#include "common/json.h"

#include <algorithm>
#include <array>

namespace latentdesk {

namespace {

using nlohmann::json;

constexpr double kLargestTime = 1e15;
constexpr size_t kMaxTokenBytes = 1024;
constexpr size_t kMaxTextBytes = 4096;
constexpr size_t kMaxSessionBytes = 64;
constexpr int kMaxSlotCount = 1 << 16;

constexpr std::array<const char*, 4> kControlNames{"none", "free", "yours", "taken"};

bool flag_field(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return false;
  if (!found->is_boolean()) throw ProtocolError(std::string(name) + " is neither true nor false");
  return found->get<bool>();
}

double time_field(const json& object, const char* name) {
  return number_field(object, name, -kLargestTime, kLargestTime);
}

json object_of(const Ping& ping) { return {{"type", "ping"}, {"time", ping.time}}; }
json object_of(const Pong& pong) {
  return {{"type", "pong"}, {"time", pong.time}, {"received", pong.received}, {"sent", pong.sent}};
}
json object_of(const ViewerHello& hello) {
  json object = {{"type", "hello"}, {"cache", hello.cache_bytes}};
  if (hello.token) object["token"] = *hello.token;
  if (hello.view_only) object["view_only"] = true;
  if (hello.resume)
    object["resume"] = {{"session", hello.resume->session}, {"updates", hello.resume->updates}};
  return object;
}
json object_of(const Ack& ack) { return {{"type", "ack"}, {"updates", ack.updates}}; }
json object_of(const QualityWish& wish) { return {{"type", "quality"}, {"value", wish.value}}; }
json object_of(const Refresh&) { return {{"type", "refresh"}}; }
json object_of(const Input& input) { return {{"type", "input"}, {"events", json_of(input.events)}}; }
json object_of(const ControlWish& wish) { return {{"type", "control"}, {"take", wish.take}}; }
json object_of(const SizeWish& wish) {
  return {{"type", "size"}, {"width", wish.size.width}, {"height", wish.size.height}};
}
json object_of(const Clipboard&) { return {{"type", "clipboard"}}; }
json object_of(const ServerHello& hello) {
  json object = {{"type", "hello"},
                 {"model_ver", hello.model_ver},
                 {"device", hello.device},
                 {"time", hello.time},
                 {"slots", hello.slots}};
  if (!hello.session.empty()) object["session"] = hello.session;
  if (hello.resumed) object["resumed"] = true;
  if (hello.clipboard) object["clipboard"] = true;
  if (hello.resizable) object["resizable"] = true;
  return object;
}
json object_of(const Resize& resize) {
  return {{"type", "resize"}, {"width", resize.size.width}, {"height", resize.size.height}};
}
json object_of(const UpdateAhead&) { return {{"type", "update"}}; }
json object_of(const Notice& notice) { return {{"type", "notice"}, {"text", notice.text}}; }
json object_of(const Bye& bye) { return {{"type", "bye"}, {"reason", bye.reason}}; }
json object_of(const Control& control) {
  return {{"type", "control"}, {"state", kControlNames[static_cast<size_t>(control.state)]}};
}
json object_of(const CursorShape& cursor) {
  return {{"type", "cursor"},
          {"width", cursor.size.width},
          {"height", cursor.size.height},
          {"x", cursor.hot_x},
          {"y", cursor.hot_y}};
}
json object_of(const PointerPosition& pointer) {
  return {{"type", "pointer"}, {"x", pointer.x}, {"y", pointer.y}};
}

template <typename Message>
std::string payload_of(const Message&) {
  return {};
}
std::string payload_of(const Clipboard& clipboard) { return clipboard.text; }
std::string payload_of(const CursorShape& cursor) {
  if (cursor.pixels.empty()) return {};
  std::vector<uint8_t> packed;
  Deflater().deflate(cursor.pixels, Compression::thorough, packed);
  return {packed.begin(), packed.end()};
}

Ping parse_ping(const json& object) { return {time_field(object, "time")}; }
Pong parse_pong(const json& object) {
  return {time_field(object, "time"), time_field(object, "received"), time_field(object, "sent")};
}

Resumption parse_resumption(const json& object) {
  if (!object.is_object()) throw ProtocolError("resume is no object");
  return {string_field(object, "session", kMaxSessionBytes), unsigned_field(object, "updates")};
}

ViewerHello parse_viewer_hello(const json& object) {
  ViewerHello hello;
  if (object.contains("token")) hello.token = string_field(object, "token", kMaxTokenBytes);
  if (object.contains("cache")) hello.cache_bytes = unsigned_field(object, "cache");
  hello.view_only = flag_field(object, "view_only");
  if (object.contains("resume")) hello.resume = parse_resumption(object["resume"]);
  return hello;
}

ServerHello parse_server_hello(const json& object) {
  ServerHello hello{
      .model_ver = string_field(object, "model_ver", 128),
      .device = string_field(object, "device", kMaxTextBytes),
      .time = time_field(object, "time"),
      .slots = static_cast<uint32_t>(number_field(object, "slots", 0, kMaxSlotCount)),
      .session = object.contains("session") ? string_field(object, "session", kMaxSessionBytes) : "",
      .resumed = flag_field(object, "resumed"),
      .clipboard = flag_field(object, "clipboard"),
      .resizable = flag_field(object, "resizable"),
  };
  return hello;
}

Size parse_size(const json& object) {
  const Size size{integer_field(object, "width", kMaxSide), integer_field(object, "height", kMaxSide)};
  if (!is_valid(size)) throw ProtocolError("the screen has too many pixels");
  return size;
}

ControlWish parse_control_wish(const json& object) {
  field(object, "take");
  return {flag_field(object, "take")};
}

Control parse_control(const json& object) {
  const std::string name = string_field(object, "state", 20);
  const auto found = std::find(kControlNames.begin(), kControlNames.end(), name);
  if (found == kControlNames.end()) throw ProtocolError("unknown state of control " + printable(name, 20));
  return {static_cast<ControlState>(found - kControlNames.begin())};
}

Clipboard parse_clipboard(ByteView payload) {
  if (payload.size() > kMaxClipboardBytes) throw ProtocolError("the clipboard's text is too long");
  Clipboard clipboard{{payload.begin(), payload.end()}};
  if (!is_utf8(clipboard.text)) throw ProtocolError("the clipboard's text is no UTF-8");
  return clipboard;
}

int coordinate(const json& object, const char* name, int max) {
  return static_cast<int>(number_field(object, name, 0, max));
}

CursorShape parse_cursor(const json& object, ByteView payload) {
  CursorShape cursor;
  cursor.size = {coordinate(object, "width", kMaxCursorSide), coordinate(object, "height", kMaxCursorSide)};
  if ((cursor.size.width == 0) != (cursor.size.height == 0)) throw ProtocolError("the cursor has one side");
  if (cursor.size.width == 0) return cursor;
  cursor.hot_x = coordinate(object, "x", cursor.size.width - 1);
  cursor.hot_y = coordinate(object, "y", cursor.size.height - 1);
  const size_t bytes = cursor.size.pixels() * kBytesPerPixel;
  check_inflated_size(bytes, payload.size());
  cursor.pixels.resize(bytes);
  Inflater().inflate(payload, cursor.pixels);
  return cursor;
}

[[noreturn]] void refuse_type(const std::string& type) {
  throw ProtocolError("unknown message type " + printable(type, 20));
}

}  // namespace

ViewerMessage parse_viewer_message(ByteView message, bool is_text) {
  const auto* text = reinterpret_cast<const char*>(message.data());
  const MessageView parts = is_text ? MessageView{{text, message.size()}, {}} : split_message(message);
  if (parts.header.size() > kMaxHeaderBytes) throw ProtocolError("the header is too long");
  const json object = parse_object(parts.header);
  const std::string type = string_field(object, "type", kMaxHeaderBytes);
  if (type == "ack") return Ack{unsigned_field(object, "updates")};
  if (type == "input") return Input{parse_input_events(field(object, "events"))};
  if (type == "ping") return parse_ping(object);
  if (type == "pong") return parse_pong(object);
  if (type == "quality") return QualityWish{integer_field(object, "value", 100)};
  if (type == "refresh") return Refresh{};
  if (type == "control") return parse_control_wish(object);
  if (type == "size") return SizeWish{parse_size(object)};
  if (type == "clipboard") return parse_clipboard(parts.payload);
  if (type == "hello") return parse_viewer_hello(object);
  refuse_type(type);
}

ServerMessage parse_server_message(const MessageView& message) {
  const json object = parse_object(message.header);
  const std::string type = string_field(object, "type", kMaxHeaderBytes);
  if (type == "update") return UpdateAhead{};
  if (type == "ping") return parse_ping(object);
  if (type == "pong") return parse_pong(object);
  if (type == "pointer")
    return PointerPosition{coordinate(object, "x", kMaxSide), coordinate(object, "y", kMaxSide)};
  if (type == "cursor") return parse_cursor(object, message.payload);
  if (type == "control") return parse_control(object);
  if (type == "clipboard") return parse_clipboard(message.payload);
  if (type == "resize") return Resize{parse_size(object)};
  if (type == "notice") return Notice{string_field(object, "text", kMaxTextBytes)};
  if (type == "bye") return Bye{string_field(object, "reason", kMaxTextBytes)};
  if (type == "hello") return parse_server_hello(object);
  refuse_type(type);
}

bool is_utf8(std::string_view text) {
  try {
    (void)json(text).dump();  // refuses what is not
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

std::string serialize(const ViewerMessage& message) {
  return std::visit(
      [](const auto& content) { return message_prefix(object_of(content)) + payload_of(content); }, message);
}

std::string serialize(const ServerMessage& message) {
  return std::visit(
      [](const auto& content) { return message_prefix(object_of(content)) + payload_of(content); }, message);
}

}  // namespace latentdesk
