#include "common/protocol.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <vector>

namespace latentdesk {
namespace {

using nlohmann::json;

std::vector<uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }

json valid_header() {
  return {{"w", 160},
          {"h", 90},
          {"c", 96},
          {"scale", 0.25},
          {"orig_w", 1280},
          {"orig_h", 720},
          {"timestamp", 1000.5},
          {"model_ver", "lite-1.0123"}};
}

TEST(Framing, PrefixAndHeaderAreTheGoldenBytes) {
  const FrameHeader header{{1, 1, 1}, 0.5f, {1, 1}, 1.5, "m-1.0"};
  const std::string golden = std::string("\x00\x00\x00\x59", 4) +  // length of the header, big-endian: 89
                             R"({"c":1,"h":1,)"                    // latent channels and height
                             R"("model_ver":"m-1.0",)"             // name-version.hash
                             R"("orig_h":1,"orig_w":1,)"           // captured size
                             R"("scale":0.5,"timestamp":1.5,)"     // dequantisation; capture time
                             R"("w":1})";                          // latent width
  EXPECT_EQ(serialize_frame_prefix(header), golden);
}

TEST(Framing, HeaderSurvivesTheWayThere) {
  const FrameHeader sent{{160, 90, 96}, 0.1f, {1279, 719}, 1763712345.678, "lite-1.0123456789abcdef"};
  const auto message = bytes(serialize_frame_prefix(sent) + "payload");
  const MessageView parts = split_message(message);
  const FrameHeader received = parse_frame_header(parts.header);
  EXPECT_EQ(received.latent, sent.latent);
  EXPECT_EQ(received.scale, sent.scale);
  EXPECT_EQ(received.original, sent.original);
  EXPECT_DOUBLE_EQ(received.timestamp, sent.timestamp);
  EXPECT_EQ(received.model_ver, sent.model_ver);
  EXPECT_EQ(std::string(parts.payload.begin(), parts.payload.end()), "payload");
}

TEST(Framing, TruncatedMessagesAreErrors) {
  const auto whole = bytes(serialize_frame_prefix({{1, 1, 1}, 0.5f, {1, 1}, 1.5, "m"}));
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THROW(split_message(ByteView(whole).first(length)), ProtocolError) << length;
  }
  EXPECT_NO_THROW(split_message(whole));
}

TEST(Framing, HugeHeaderLengthsAreErrors) {
  std::vector<uint8_t> message(100'000, ' ');
  for (const uint32_t length : {65'537u, 0x7fffffffu, 0x80000000u, 0xffffffffu, 0xfffffffcu}) {
    for (size_t i = 0; i < 4; ++i) message[i] = static_cast<uint8_t>(length >> (24 - 8 * i));
    EXPECT_THROW(split_message(message), ProtocolError) << length;
  }
}

TEST(FrameHeader, ValidOneIsAccepted) { EXPECT_NO_THROW(parse_frame_header(valid_header().dump())); }

TEST(FrameHeader, UnknownFieldsAreIgnored) {
  json header = valid_header();
  header["future"] = {{"a", 1}};
  EXPECT_NO_THROW(parse_frame_header(header.dump()));
}

TEST(FrameHeader, EachMissingFieldIsAnErrorThatNamesIt) {
  const json complete = valid_header();
  for (const auto& [name, value] : complete.items()) {
    json header = complete;
    header.erase(name);
    try {
      parse_frame_header(header.dump());
      ADD_FAILURE() << name;
    } catch (const ProtocolError& error) {
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
}

struct BadField {
  const char* name;
  json value;
};

class FrameHeaderField : public testing::TestWithParam<BadField> {};

TEST_P(FrameHeaderField, IsRefused) {
  json header = valid_header();
  header[GetParam().name] = GetParam().value;
  EXPECT_THROW(parse_frame_header(header.dump()), ProtocolError) << header.dump();
}

INSTANTIATE_TEST_SUITE_P(
    Wrong, FrameHeaderField,
    testing::Values(BadField{"w", 0}, BadField{"w", -1}, BadField{"w", 161}, BadField{"w", 1.5},
                    BadField{"w", "160"}, BadField{"w", 4294967296u + 160u}, BadField{"h", 0},
                    BadField{"h", 89}, BadField{"h", nullptr}, BadField{"c", 0}, BadField{"c", 257},
                    BadField{"c", true}, BadField{"scale", 0}, BadField{"scale", -0.25},
                    BadField{"scale", 1e-300}, BadField{"scale", 1e7}, BadField{"scale", "0.25"},
                    BadField{"orig_w", 0}, BadField{"orig_w", 16385}, BadField{"orig_w", -1280},
                    BadField{"orig_h", 0}, BadField{"orig_h", 4294968016u}, BadField{"timestamp", "now"},
                    BadField{"timestamp", json::array()}, BadField{"model_ver", 1},
                    BadField{"model_ver", std::string(129, 'x')}));

TEST(FrameHeader, TooManyPixelsAreRefused) {
  json header = valid_header();
  header["orig_w"] = header["orig_h"] = 16384;  // each side is allowed, both together are not
  header["w"] = header["h"] = 2048;
  EXPECT_THROW(parse_frame_header(header.dump()), ProtocolError);
}

TEST(FrameHeader, WhatIsNoJsonObjectIsRefused) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (const std::string& text : {std::string(), std::string("{"), std::string("[]"), std::string("1"),
                                  std::string("{\"w\":1e999}"), std::string("\xff\xfe{}"), deep}) {
    EXPECT_THROW(parse_frame_header(text), ProtocolError);
  }
}

TEST(ClientMessage, JsonAsTextOrFramedIsAccepted) {
  EXPECT_NO_THROW(validate_client_message(bytes(R"({"type":"ping"})"), true));
  EXPECT_NO_THROW(validate_client_message(bytes(std::string("\0\0\0\x02{}payload", 13)), false));
}

TEST(ClientMessage, AnythingElseIsRefused) {
  EXPECT_THROW(validate_client_message(bytes("hello"), true), ProtocolError);
  EXPECT_THROW(validate_client_message(bytes(R"({"type":"ping"})"), false), ProtocolError);
  EXPECT_THROW(validate_client_message(bytes(""), false), ProtocolError);
  EXPECT_THROW(validate_client_message(std::vector<uint8_t>(kMaxClientMessageBytes + 1, ' '), true),
               ProtocolError);
}

TEST(Printable, ControlCharactersNeverReachTheLog) {
  EXPECT_EQ(printable("a\nb\x1b[31m\xc3\xa9"), "a?b?[31m??");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
}

}  // namespace
}  // namespace latentdesk
