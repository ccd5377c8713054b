#include "tests/beast_client.h"
#include "tests/gate_client.h"
#include "tests/pipeline.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstring>
#include <thread>

// Sessions of the baseline: all of the server's threads, with real sockets and real clients. Runs under
// ThreadSanitizer too.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

// ThreadSanitizer does not see into libspdlog: what that makes at its first use is made before there are
// threads.
const auto kLogger = spdlog::default_logger();

TEST(Session, FirstFrameComesAtOnceAndIdleOnesOnceASecond) {
  Pipeline pipeline(0.1);
  BeastClient client(pipeline.port());
  const FrameHeader first = client.read_header();
  EXPECT_EQ(first.original, (Size{640, 360}));
  EXPECT_EQ(first.model_ver, "copy-1.0");
  const FrameHeader second = client.read_header();
  EXPECT_NEAR(second.timestamp - first.timestamp, 1, 0.3);
}

TEST(Session, FramesAreWholeAndTimestampsGrow) {
  Pipeline pipeline(200);
  BeastClient client(pipeline.port());
  Inflater inflater;
  Latents latents;
  double previous = 0;
  for (int i = 0; i < 50; ++i) {
    const auto message = client.read();
    const MessageView parts = split_message(message);
    const FrameHeader header = parse_frame_header(parts.header);
    EXPECT_NO_THROW(unpack(header, parts.payload, inflater, latents));
    EXPECT_GT(header.timestamp, previous);
    previous = header.timestamp;
  }
}

TEST(Session, NothingIsEncodedForNobody) {
  Pipeline pipeline(200);
  EXPECT_FALSE(pipeline.has_demand());
  {
    BeastClient client(pipeline.port());
    client.read();
  }
  EXPECT_TRUE(eventually([&] { return pipeline.viewers() == 0; }));
  EXPECT_FALSE(pipeline.has_demand());
}

TEST(Session, ALateJoinerGetsACurrentPicture) {
  Pipeline pipeline(0.1);
  BeastClient first(pipeline.port());
  first.read();
  BeastClient second(pipeline.port());
  EXPECT_EQ(second.read_header().original, (Size{640, 360}));
}

TEST(Session, AViewerThatDoesNotReadHoldsNobodyUp) {
  Pipeline pipeline(100, {1280, 720});
  BeastClient stalled(pipeline.port());
  stalled.socket().set_option(boost::asio::socket_base::receive_buffer_size(4096));
  BeastClient reader(pipeline.port());
  const auto start = std::chrono::steady_clock::now();
  double newest = 0;
  for (int i = 0; i < 100; ++i) newest = reader.read_header().timestamp;
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
  EXPECT_EQ(pipeline.viewers(), 2u);
  // What the stalled one finds once it reads is at first old, then current: nothing has queued but what was
  // under way.
  int frames = 0;
  while (stalled.read_header().timestamp < newest) ASSERT_LT(++frames, 60);
}

class BadClient : public testing::TestWithParam<BadMessage> {};

TEST_P(BadClient, IsClosedWithAReasonAndOthersAreNot) {
  Pipeline pipeline(50);
  BeastClient good(pipeline.port());
  good.read();
  BeastClient bad(pipeline.port());
  bad.write(GetParam().text, GetParam().binary);
  EXPECT_NE(bad.read_to_close().find(GetParam().reason), std::string::npos);
  EXPECT_TRUE(eventually([&] { return pipeline.viewers() == 1; }));
  for (int i = 0; i < 5; ++i) EXPECT_NO_THROW(good.read_header());
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadClient,
    testing::Values(BadMessage{"NoJson", "hello", false, "not a JSON object"},
                    BadMessage{"JsonArray", "[1,2]", false, "not a JSON object"},
                    BadMessage{"DeepJson", std::string(1000, '['), false, "nested too deeply"},
                    BadMessage{"ShortPrefix", "abc", true, "shorter than its length prefix"},
                    BadMessage{"HugeHeader", std::string("\xff\xff\xff\xff{}", 6), true, "too long"},
                    BadMessage{"ShortHeader", std::string("\0\0\0\x09{}", 6), true,
                               "shorter than its header"},
                    BadMessage{"TooLong", std::string(kMaxClientMessageBytes + 1, ' '), false, ""}),
    [](const auto& test) { return test.param.name; });

TEST(Session, HarmlessClientMessagesHaveNoEffect) {
  Pipeline pipeline(50);
  BeastClient client(pipeline.port());
  for (int i = 0; i < 20; ++i) client.write(R"({"type":"hello"})", false);
  for (int i = 0; i < 5; ++i) EXPECT_NO_THROW(client.read_header());
}

TEST(Session, NoPictureWithoutAccess) {
  Pipeline pipeline(50, {640, 360}, {.tokens = Tokens("correct-horse-battery", "")});
  // A name that may be rebound, so that this process does not count as the server's own user; and the
  // subprotocol whose hello would bring the token.
  GateClient client(pipeline.port(), {.origin = "http://evil.example",
                                      .subprotocol = "latentdesk.2",
                                      .host = "evil.example",
                                      .hello = R"({"type":"hello"})"});
  EXPECT_EQ(client.status(), 101u);
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(client.close_code(), 4401);
}

TEST(Session, StoppingSaysGoodbye) {
  Pipeline pipeline(50);
  BeastClient client(pipeline.port());
  client.read();
  pipeline.close_all();
  EXPECT_EQ(client.read_to_close(), "server is stopping");
}

TEST(Session, ViewersComeAndGo) {
  Pipeline pipeline(200);
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([port = pipeline.port()] {
      for (int round = 0; round < 5; ++round) {
        BeastClient client(port);
        for (int frame = 0; frame < 4; ++frame) client.read();
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(eventually([&] { return pipeline.viewers() == 0; }));
}

}  // namespace
}  // namespace latentdesk
