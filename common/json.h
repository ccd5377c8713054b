#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// What the parsers of the protocol's headers share. All of it throws ProtocolError, with the field's name.
// Included by source files alone: nlohmann/json stays out of headers.

namespace latentdesk {

/// Parses one JSON object. Depth is limited, since the parser's values are destroyed recursively.
nlohmann::json parse_object(std::string_view text);

const nlohmann::json& field(const nlohmann::json& object, const char* name);
/// From 1 to `max`.
int integer_field(const nlohmann::json& object, const char* name, int max);
uint64_t unsigned_field(const nlohmann::json& object, const char* name);
double number_field(const nlohmann::json& object, const char* name, double min, double max);
std::string string_field(const nlohmann::json& object, const char* name, size_t max_bytes);
/// A quantisation step.
float scale_field(const nlohmann::json& object);

/// The length prefix and `object`: all of a message that comes before its payload.
std::string message_prefix(const nlohmann::json& object);

}  // namespace latentdesk
