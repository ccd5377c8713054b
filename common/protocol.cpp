#include "common/protocol.h"

#include "common/json.h"

#include <cmath>
#include <limits>

namespace latentdesk {

using nlohmann::json;

namespace {

constexpr size_t kPrefixBytes = 4;
constexpr size_t kMaxModelVersionBytes = 128;
constexpr int kMaxJsonDepth = 8;
constexpr double kLargestNumber = std::numeric_limits<double>::max();

}  // namespace

json parse_object(std::string_view text) {
  const auto limit_depth = [](int depth, json::parse_event_t, json&) {
    if (depth > kMaxJsonDepth) throw ProtocolError("header: nested too deeply");
    return true;
  };
  json object = json::parse(text.begin(), text.end(), limit_depth, /*allow_exceptions=*/false);
  if (!object.is_object()) throw ProtocolError("header is not a JSON object");
  return object;
}

const json& field(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) throw ProtocolError(std::string("header lacks field ") + name);
  return *found;
}

int integer_field(const json& object, const char* name, int max) {
  const json& value = field(object, name);
  if (!value.is_number_unsigned()) throw ProtocolError(std::string(name) + " is not a positive integer");
  const auto number = value.get<uint64_t>();
  if (number < 1 || number > static_cast<uint64_t>(max)) {
    throw ProtocolError(std::string(name) + " is " + std::to_string(number) + ", allowed are 1 to " +
                        std::to_string(max));
  }
  return static_cast<int>(number);
}

uint64_t unsigned_field(const json& object, const char* name) {
  const json& value = field(object, name);
  if (!value.is_number_unsigned()) throw ProtocolError(std::string(name) + " is not a natural number");
  return value.get<uint64_t>();
}

double number_field(const json& object, const char* name, double min, double max) {
  const json& value = field(object, name);
  if (!value.is_number()) throw ProtocolError(std::string(name) + " is not a number");
  const double number = value.get<double>();
  if (!std::isfinite(number)) throw ProtocolError(std::string(name) + " is not finite");
  if (number < min || number > max) throw ProtocolError(std::string(name) + " is outside its range");
  return number;
}

std::string string_field(const json& object, const char* name, size_t max_bytes) {
  const json& value = field(object, name);
  if (!value.is_string()) throw ProtocolError(std::string(name) + " is not a string");
  auto text = value.get<std::string>();
  if (text.size() > max_bytes) throw ProtocolError(std::string(name) + " is too long");
  return text;
}

float scale_field(const json& object) {
  return static_cast<float>(number_field(object, "scale", std::numeric_limits<float>::min(), 1e6));
}

std::string message_prefix(const json& object) {
  // Text of a program that is not UTF-8 must not end who passes it on.
  const std::string text = object.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto length = static_cast<uint32_t>(text.size());
  std::string prefix;
  prefix.reserve(kPrefixBytes + text.size());
  for (const int shift : {24, 16, 8, 0}) prefix.push_back(static_cast<char>(length >> shift & 0xff));
  return prefix += text;
}

MessageView split_message(ByteView message) {
  if (message.size() < kPrefixBytes) throw ProtocolError("message is shorter than its length prefix");
  const uint32_t length = uint32_t{message[0]} << 24 | uint32_t{message[1]} << 16 |
                          uint32_t{message[2]} << 8 | uint32_t{message[3]};
  if (length > kMaxHeaderBytes)
    throw ProtocolError("header of " + std::to_string(length) + " bytes is too long");
  if (length > message.size() - kPrefixBytes) throw ProtocolError("message is shorter than its header");
  const ByteView header = message.subspan(kPrefixBytes, length);
  return {{reinterpret_cast<const char*>(header.data()), header.size()},
          message.subspan(kPrefixBytes + length)};
}

FrameHeader parse_frame_header(std::string_view text) {
  const json object = parse_object(text);
  FrameHeader header;
  header.original = {integer_field(object, "orig_w", kMaxSide), integer_field(object, "orig_h", kMaxSide)};
  if (!is_valid(header.original)) throw ProtocolError("picture has too many pixels");
  header.latent = {integer_field(object, "w", kMaxSide), integer_field(object, "h", kMaxSide),
                   integer_field(object, "c", kMaxLatentChannels)};
  if (header.latent != latent_shape(header.original, header.latent.channels)) {
    throw ProtocolError("w and h do not belong to orig_w and orig_h");
  }
  header.scale = scale_field(object);
  header.timestamp = number_field(object, "timestamp", -kLargestNumber, kLargestNumber);
  header.model_ver = string_field(object, "model_ver", kMaxModelVersionBytes);
  return header;
}

std::string serialize_frame_prefix(const FrameHeader& header) {
  const json object = {{"w", header.latent.width},        {"h", header.latent.height},
                       {"c", header.latent.channels},     {"scale", header.scale},
                       {"orig_w", header.original.width}, {"orig_h", header.original.height},
                       {"timestamp", header.timestamp},   {"model_ver", header.model_ver}};
  return message_prefix(object);
}

void validate_client_message(ByteView message, bool is_text) {
  if (message.size() > kMaxClientMessageBytes) throw ProtocolError("client message is too long");
  const auto* text = reinterpret_cast<const char*>(message.data());
  parse_object(is_text ? std::string_view{text, message.size()} : split_message(message).header);
}

std::string printable(std::string_view text, size_t max_length) {
  std::string safe(text.substr(0, max_length));
  for (char& c : safe) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  if (text.size() > max_length) safe += "...";
  return safe;
}

}  // namespace latentdesk
