#include "common/stream/input.h"

#include "common/image.h"
#include "common/json.h"
#include "common/protocol.h"

#include <cmath>

namespace latentdesk {

namespace {

using nlohmann::json;

// Unicode keysyms end at 0x0110ffff, those of vendors' keys at 0x1fffffff.
constexpr int kMaxKeysym = 0x1fffffff;

/// One event: its name, then its arguments.
class Arguments {
 public:
  explicit Arguments(const json& event) : event_(event) {
    if (!event.is_array() || event.empty() || !event[0].is_string())
      throw ProtocolError("an input event is no array that begins with its name");
  }

  const std::string& name() const { return event_[0].get_ref<const std::string&>(); }

  int integer(size_t index, int min, int max) const {
    const json& value = at(index);
    if (!value.is_number() || value < min || value > max || value != std::floor(value.get<double>()))
      throw ProtocolError("an argument of " + printable(name(), 20) + " is no integer, or out of range");
    return value.get<int>();
  }

  bool flag(size_t index) const { return integer(index, 0, 1) == 1; }

  std::string text(size_t index) const {
    const json& value = at(index);
    if (!value.is_string()) throw ProtocolError("text is no string");
    auto text = value.get<std::string>();
    if (text.size() > kMaxInputTextBytes) throw ProtocolError("text is too long");
    return text;
  }

 private:
  const json& at(size_t index) const {
    if (index >= event_.size()) throw ProtocolError(printable(name(), 20) + " lacks an argument");
    return event_[index];
  }

  const json& event_;
};

InputEvent parse_event(const Arguments& event) {
  const std::string& name = event.name();
  if (name == "key") return KeyInput{static_cast<uint32_t>(event.integer(1, 1, kMaxKeysym)), event.flag(2)};
  if (name == "move") return MoveInput{event.integer(1, 0, kMaxSide - 1), event.integer(2, 0, kMaxSide - 1)};
  if (name == "button") return ButtonInput{event.integer(1, 1, kMaxButton), event.flag(2)};
  if (name == "scroll")
    return ScrollInput{event.integer(1, -kMaxScroll, kMaxScroll), event.integer(2, -kMaxScroll, kMaxScroll)};
  if (name == "text") return TextInput{event.text(1)};
  if (name == "release") return ReleaseInput{};
  throw ProtocolError("unknown input " + printable(name, 20));
}

json array_of(const KeyInput& key) { return {"key", key.keysym, key.down ? 1 : 0}; }
json array_of(const MoveInput& move) { return {"move", move.x, move.y}; }
json array_of(const ButtonInput& button) { return {"button", button.button, button.down ? 1 : 0}; }
json array_of(const ScrollInput& scroll) { return {"scroll", scroll.dx, scroll.dy}; }
json array_of(const TextInput& text) { return json::array({"text", text.text}); }
json array_of(const ReleaseInput&) { return json::array({"release"}); }

}  // namespace

std::vector<InputEvent> parse_input_events(const json& events) {
  if (!events.is_array() || events.size() > kMaxInputEvents)
    throw ProtocolError("events are no array, or too many");
  std::vector<InputEvent> parsed;
  parsed.reserve(events.size());
  for (const json& event : events) parsed.push_back(parse_event(Arguments(event)));
  return parsed;
}

json json_of(const std::vector<InputEvent>& events) {
  json array = json::array();
  for (const InputEvent& event : events) {
    array.push_back(std::visit([](const auto& content) { return array_of(content); }, event));
  }
  return array;
}

}  // namespace latentdesk
