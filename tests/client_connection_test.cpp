#include "client/end_watch.h"
#include "client/stream.h"
#include "tests/client_scripted_server.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>
#include <thread>

// The viewer's network and decode threads against a real WebSocket server, over loopback.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr Size kPicture{60, 40};
constexpr int kChannels = 4;
constexpr uint16_t kProtocolErrorCode = 1002;
constexpr uint16_t kTooBigCode = 1009;

/// Stands for the network: a grey picture, or an error of our own.
class StubDecoder : public Decoder {
 public:
  explicit StubDecoder(std::chrono::milliseconds time = 0ms, bool fails = false)
      : time_(time), fails_(fails) {}

  void decode(const Latents& latents, MutableImageView image) override {
    EXPECT_EQ(latents.shape, latent_shape(image.size, kChannels));
    if (fails_) throw std::runtime_error("out of device memory");
    std::this_thread::sleep_for(time_);
    std::fill_n(image.data, image.stride * static_cast<size_t>(image.size.height), uint8_t{128});
  }
  void decode_tiles(const Latents&, std::span<const MutableImageView>) override {
    FAIL() << "the baseline format has no tiles";
  }

 private:
  std::chrono::milliseconds time_;
  bool fails_;
};

json good_header() {
  const LatentShape shape = latent_shape(kPicture, kChannels);
  return {{"w", shape.width},    {"h", shape.height},        {"c", kChannels},
          {"scale", 0.5},        {"orig_w", kPicture.width}, {"orig_h", kPicture.height},
          {"timestamp", 1234.5}, {"model_ver", "m-1.abc"}};
}

std::string payload_of(size_t values) {
  Deflater deflater;
  std::vector<uint8_t> packed;
  deflater.deflate(std::vector<int8_t>(values), packed);
  return {packed.begin(), packed.end()};
}

std::string good_payload() { return payload_of(latent_shape(kPicture, kChannels).elements()); }

std::string framed(const std::string& header, const std::string& payload) {
  std::string message;
  for (const int shift : {24, 16, 8, 0}) message.push_back(static_cast<char>(header.size() >> shift & 0xff));
  return message + header + payload;
}

std::string good_frame() { return framed(good_header().dump(), good_payload()); }

/// A good frame but for one field of its header.
std::string frame_with(const char* field, const json& value) {
  json header = good_header();
  header[field] = value;
  return framed(header.dump(), good_payload());
}

StreamConfig config_for(const ScriptedServer& server, std::unique_ptr<Decoder> decoder) {
  return {.url = {"127.0.0.1", server.port(), "/"},
          .token = {},
          .space = {"m-1.abc", kChannels},
          .decoder = std::move(decoder),
          .max_frames = {},
          .on_change = {}};
}

/// A stream that gives up by itself when what a test waits for does not come.
struct TestStream {
  explicit TestStream(StreamConfig config) : stream(std::move(config)), limit(5, [this] { stream.end(); }) {}
  Stream stream;
  EndWatch limit;
};

struct BadMessage {
  const char* name;
  std::string message;
  const char* reason;  ///< part of it
  uint16_t close_code = kProtocolErrorCode;
};

std::ostream& operator<<(std::ostream& out, const BadMessage& bad) { return out << bad.name; }

class BadMessageTest : public testing::TestWithParam<BadMessage> {};

TEST_P(BadMessageTest, ClosesItsConnectionAndTheNextOneWorks) {
  ScriptedServer server({{.messages = {GetParam().message}}, {.messages = {good_frame()}}});
  TestStream test(config_for(server, std::make_unique<StubDecoder>()));
  const auto picture = test.stream.pictures().take();
  ASSERT_TRUE(picture) << test.stream.status().reason;
  EXPECT_EQ(picture->info.number, 1u);
  EXPECT_EQ(picture->image->size(), kPicture);
  const ConnectionStatus status = test.stream.status();
  EXPECT_EQ(status.connects, 2u);
  EXPECT_NE(status.reason.find(GetParam().reason), std::string::npos) << status.reason;
  EXPECT_EQ(server.close_code(0), GetParam().close_code);
}

std::vector<BadMessage> bad_messages() {
  const std::string header = good_header().dump();
  const std::string payload = good_payload();
  json no_scale = good_header();
  no_scale.erase("scale");
  return {
      {"Empty", "", "shorter than its length prefix"},
      {"HeaderBeyondMessage", std::string("\0\0\1\0{}", 6), "shorter than its header"},
      {"HeaderOfFourGigabytes", std::string("\xff\xff\xff\xff{}", 6), "too long"},
      {"NoJson", framed("{\"w\":", payload), "not a JSON object"},
      {"NoObject", framed("[1]", payload), "not a JSON object"},
      {"DeepJson", framed(std::string(30'000, '['), payload), "nested too deeply"},
      {"FieldMissing", framed(no_scale.dump(), payload), "lacks field scale"},
      {"LatentSizeOfAnotherPicture", frame_with("w", 9), "do not belong"},
      {"ZeroWidth", frame_with("orig_w", 0), "orig_w is 0"},
      {"HugeWidth", frame_with("orig_w", 1'000'000'000), "orig_w is 1000000000"},
      {"NegativeHeight", frame_with("orig_h", -40), "orig_h is not a positive integer"},
      {"ZeroScale", frame_with("scale", 0), "scale is outside"},
      {"NegativeScale", frame_with("scale", -0.5), "scale is outside"},
      {"ScaleIsNull", frame_with("scale", std::numeric_limits<double>::quiet_NaN()), "scale is not a number"},
      {"ScaleIsNan", framed("{\"scale\":NaN}", payload), "not a JSON object"},
      {"AnotherModel", frame_with("model_ver", "m-2.\x1b[31m"),
       "model m-2.?[31m, this viewer decodes m-1.abc"},
      {"ChannelsOfAnotherModel", frame_with("c", kChannels + 1), "c is 5, the model has 4"},
      {"PayloadMissing", framed(header, ""), "payload is truncated"},
      {"PayloadTruncated", framed(header, payload.substr(0, payload.size() - 6)), "payload is truncated"},
      {"PayloadIsNoZlib", framed(header, std::string(100, 'x')), "not a zlib stream"},
      {"PayloadTooShort", framed(header, payload_of(100)), "less than its header says"},
      {"ZlibBomb", framed(header, payload_of(100'000'000)), "more than its header says"},
      {"TrailingBytes", framed(header, payload + "x"), "followed by further bytes"},
      {"MessageTooBig", framed(header, std::string(1'000'000, 'x')), "more than 1000000 bytes", kTooBigCode},
  };
}

INSTANTIATE_TEST_SUITE_P(Connection, BadMessageTest, testing::ValuesIn(bad_messages()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ConnectionTest, IgnoresTextMessages) {
  ScriptedServer server({{.text = "hello", .messages = {good_frame()}}});
  TestStream test(config_for(server, std::make_unique<StubDecoder>()));
  ASSERT_TRUE(test.stream.pictures().take());
  EXPECT_EQ(test.stream.status().connects, 1u);
}

TEST(ConnectionTest, CountsWithoutADecoderButStillChecksHeaders) {
  ScriptedServer server(
      {{.messages = {frame_with("w", 9)}}, {.messages = {framed(good_header().dump(), "no zlib")}}});
  TestStream test(config_for(server, nullptr));
  const auto picture = test.stream.pictures().take();
  ASSERT_TRUE(picture);
  EXPECT_FALSE(picture->image);
  EXPECT_EQ(picture->info.size, kPicture);
  EXPECT_EQ(test.stream.status().connects, 2u);
}

TEST(ConnectionTest, CountsEveryFrameWithoutADecoder) {
  constexpr size_t kFrames = 60;
  ScriptedServer server({{.messages = std::vector<std::string>(kFrames, good_frame())}});
  StreamConfig config = config_for(server, nullptr);
  config.max_frames = kFrames;
  TestStream test(std::move(config));
  std::optional<Picture> picture;
  do {
    picture = test.stream.pictures().take();
  } while (picture && !test.stream.is_last(picture->info));
  ASSERT_TRUE(picture);
  EXPECT_EQ(test.stream.summary().frames, kFrames);
  EXPECT_EQ(test.stream.summary().dropped, 0u);
}

TEST(ConnectionTest, SlowDecoderShowsFewerPicturesAndEndsWithTheNewest) {
  constexpr int kFrames = 60;
  std::vector<std::string> frames;
  for (int i = 1; i <= kFrames; ++i) frames.push_back(frame_with("timestamp", i));
  ScriptedServer server({{.messages = frames}});
  TestStream test(config_for(server, std::make_unique<StubDecoder>(5ms)));
  uint64_t shown = 0;
  double newest = 0;
  while (newest < kFrames) {
    const auto picture = test.stream.pictures().take();
    ASSERT_TRUE(picture) << "the last one was " << newest;
    EXPECT_GT(picture->info.timestamp, newest);
    newest = picture->info.timestamp;
    ++shown;
  }
  EXPECT_LT(shown, uint64_t{kFrames});
  EXPECT_EQ(shown + test.stream.summary().dropped, uint64_t{kFrames});
  EXPECT_EQ(test.stream.status().connects, 1u);
}

TEST(ConnectionTest, SendsTheTokenAndEndsWhenItIsRefused) {
  ScriptedServer server({{.refusal = "token is wrong\r\nsecond line"}, {.messages = {good_frame()}}});
  StreamConfig config = config_for(server, std::make_unique<StubDecoder>());
  config.token = "se/cret";
  TestStream test(std::move(config));
  EXPECT_FALSE(test.stream.pictures().take()) << "it has asked again";
  try {
    test.stream.stop();
    FAIL() << "nobody says why it ended";
  } catch (const std::runtime_error& error) {
    const std::string reason = error.what();
    EXPECT_NE(reason.find("LATENTDESK_TOKEN"), std::string::npos) << reason;
    EXPECT_NE(reason.find("HTTP 401 Unauthorized"), std::string::npos) << reason;
    EXPECT_TRUE(reason.ends_with("token is wrong")) << reason;
    EXPECT_EQ(reason.find("cret"), std::string::npos) << reason;
  }
  EXPECT_EQ(server.target(0), "/?token=se%2Fcret");
}

TEST(ConnectionTest, RethrowsAnErrorOfTheDecoder) {
  ScriptedServer server({{.messages = {good_frame()}}});
  TestStream test(config_for(server, std::make_unique<StubDecoder>(0ms, /*fails=*/true)));
  EXPECT_FALSE(test.stream.pictures().take());
  EXPECT_TRUE(test.stream.has_ended());
  EXPECT_THROW(test.stream.stop(), std::runtime_error);
  EXPECT_NO_THROW(test.stream.stop());
}

TEST(ConnectionTest, SaysWhenNobodyListens) {
  uint16_t port = 0;
  { port = ScriptedServer(std::vector<ConnectionScript>{}).port(); }
  Stream stream({.url = {"127.0.0.1", port, "/"},
                 .token = {},
                 .space = {},
                 .decoder = nullptr,
                 .max_frames = {},
                 .on_change = {}});
  const SteadyTime start = SteadyClock::now();
  while (stream.status().reason.empty() && milliseconds_since(start) < 5000) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(stream.status().state, ConnectionStatus::State::waiting);
  EXPECT_EQ(stream.status().reason, "Connection refused");
  stream.stop();
}

TEST(ConnectionTest, StopsAtOnceThoughTheServerIsSilent) {
  ScriptedServer server({ConnectionScript{.silent = true}});
  TestStream test(config_for(server, std::make_unique<StubDecoder>()));
  server.target(0);  // it is connected, and waits for the handshake
  const SteadyTime start = SteadyClock::now();
  test.stream.stop();
  EXPECT_LT(milliseconds_since(start), 1500);
}

TEST(ConnectionTest, ClosesCleanly) {
  ScriptedServer server({{.messages = {good_frame()}}});
  TestStream test(config_for(server, std::make_unique<StubDecoder>()));
  ASSERT_TRUE(test.stream.pictures().take());
  test.stream.stop();
  EXPECT_EQ(server.close_code(0), 1000);
}

}  // namespace
}  // namespace latentdesk
