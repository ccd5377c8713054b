#include "common/stream/messages.h"

#include "common/json.h"

namespace latentdesk {

namespace {

using nlohmann::json;

constexpr double kLargestTime = 1e15;
constexpr size_t kMaxTokenBytes = 1024;
constexpr size_t kMaxTextBytes = 4096;
constexpr int kMaxSlotCount = 1 << 16;

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
  return object;
}
json object_of(const Ack& ack) { return {{"type", "ack"}, {"updates", ack.updates}}; }
json object_of(const QualityWish& wish) { return {{"type", "quality"}, {"value", wish.value}}; }
json object_of(const Refresh&) { return {{"type", "refresh"}}; }
json object_of(const ServerHello& hello) {
  return {{"type", "hello"},
          {"model_ver", hello.model_ver},
          {"device", hello.device},
          {"time", hello.time},
          {"slots", hello.slots}};
}
json object_of(const Resize& resize) {
  return {{"type", "resize"}, {"width", resize.size.width}, {"height", resize.size.height}};
}
json object_of(const UpdateAhead&) { return {{"type", "update"}}; }
json object_of(const Notice& notice) { return {{"type", "notice"}, {"text", notice.text}}; }
json object_of(const Bye& bye) { return {{"type", "bye"}, {"reason", bye.reason}}; }

Ping parse_ping(const json& object) { return {time_field(object, "time")}; }
Pong parse_pong(const json& object) {
  return {time_field(object, "time"), time_field(object, "received"), time_field(object, "sent")};
}

ViewerHello parse_viewer_hello(const json& object) {
  ViewerHello hello;
  if (object.contains("token")) hello.token = string_field(object, "token", kMaxTokenBytes);
  if (object.contains("cache")) hello.cache_bytes = unsigned_field(object, "cache");
  return hello;
}

ServerHello parse_server_hello(const json& object) {
  return {string_field(object, "model_ver", 128), string_field(object, "device", kMaxTextBytes),
          time_field(object, "time"), static_cast<uint32_t>(number_field(object, "slots", 0, kMaxSlotCount))};
}

Resize parse_resize(const json& object) {
  const Size size{integer_field(object, "width", kMaxSide), integer_field(object, "height", kMaxSide)};
  if (!is_valid(size)) throw ProtocolError("the screen has too many pixels");
  return {size};
}

[[noreturn]] void refuse_type(const std::string& type) {
  throw ProtocolError("unknown message type " + printable(type, 20));
}

}  // namespace

ViewerMessage parse_viewer_message(ByteView message, bool is_text) {
  const auto* text = reinterpret_cast<const char*>(message.data());
  const json object =
      parse_object(is_text ? std::string_view{text, message.size()} : split_message(message).header);
  const std::string type = string_field(object, "type", kMaxHeaderBytes);
  if (type == "ack") return Ack{unsigned_field(object, "updates")};
  if (type == "ping") return parse_ping(object);
  if (type == "pong") return parse_pong(object);
  if (type == "quality") return QualityWish{integer_field(object, "value", 100)};
  if (type == "refresh") return Refresh{};
  if (type == "hello") return parse_viewer_hello(object);
  refuse_type(type);
}

ServerMessage parse_server_message(std::string_view header) {
  const json object = parse_object(header);
  const std::string type = string_field(object, "type", kMaxHeaderBytes);
  if (type == "update") return UpdateAhead{};
  if (type == "ping") return parse_ping(object);
  if (type == "pong") return parse_pong(object);
  if (type == "resize") return parse_resize(object);
  if (type == "notice") return Notice{string_field(object, "text", kMaxTextBytes)};
  if (type == "bye") return Bye{string_field(object, "reason", kMaxTextBytes)};
  if (type == "hello") return parse_server_hello(object);
  refuse_type(type);
}

std::string serialize(const ViewerMessage& message) {
  return std::visit([](const auto& content) { return object_of(content).dump(); }, message);
}

std::string serialize(const ServerMessage& message) {
  return std::visit([](const auto& content) { return message_prefix(object_of(content)); }, message);
}

}  // namespace latentdesk
