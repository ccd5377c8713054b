#include "common/stream/canvas.h"
#include "common/stream/messages.h"
#include "common/stream/rate_control.h"
#include "tests/beast_client.h"
#include "tests/pipeline.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstring>
#include <thread>

// Sessions of latentdesk.2, with all of the server's threads, real sockets and real clients. Runs under
// ThreadSanitizer too.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

/// A viewer of latentdesk.2 that applies what it gets.
class StreamClient {
 public:
  explicit StreamClient(uint16_t port, std::optional<Resumption> resume = {})
      : client_(port, {}, std::string(kSubprotocol)),
        canvas_(std::make_unique<Canvas>(std::make_unique<NoDecoder>(), kCopyChannels, 256)) {
    say(ViewerHello{.cache_bytes = 256 * 16384, .resume = std::move(resume)});
  }

  /// Comes back over another connection with the canvas of `before`, whose connection may hang still.
  explicit StreamClient(uint16_t port, StreamClient& before, uint64_t more = 0)
      : StreamClient(port, Resumption{before.hello.session, before.updates + more}) {
    std::swap(canvas_, before.canvas_);
  }

  void say(const ViewerMessage& message) { client_.write(serialize(message), true); }

  /// Reads up to and with the next update.
  void read_update() {
    while (!std::holds_alternative<UpdateAhead>(read())) {
    }
  }

  /// Reads all that comes until a ping of now is answered; the number of updates.
  uint64_t read_what_waits() {
    const uint64_t before = updates;
    say(Ping{});
    while (!std::holds_alternative<Pong>(read())) {
    }
    return updates - before;
  }

  /// Reads up to and with the hello.
  const ServerHello& read_hello() {
    while (hello.session.empty()) read();
    return hello;
  }

  void acknowledge() { say(Ack{updates}); }
  const Image& picture() const { return canvas_->picture(); }
  uint64_t number() const { return canvas_->number(); }
  BeastClient& client() { return client_; }

  ServerHello hello;  ///< once it was read
  uint64_t updates = 0;
  uint64_t bytes = 0;  ///< of them
  int resizes = 0;
  std::string bye;

 private:
  ServerMessage read() {
    const auto message = client_.read();
    const MessageView parts = split_message(message);
    ServerMessage content = parse_server_message(parts);
    if (const auto* greeting = std::get_if<ServerHello>(&content)) hello = *greeting;
    if (const auto* goodbye = std::get_if<Bye>(&content)) bye = goodbye->reason;
    if (const auto* resize = std::get_if<Resize>(&content)) {
      canvas_->reset(resize->size);
      ++resizes;
    }
    if (std::holds_alternative<UpdateAhead>(content)) {
      canvas_->apply(parse_update_header(parts.header), parts.payload);
      ++updates;
      bytes += message.size();
    }
    return content;
  }

  class NoDecoder : public Decoder {
   public:
    void decode(const Latents&, MutableImageView) override {}
    void decode_tiles(const Latents&, std::span<const MutableImageView>) override {}
  };

  BeastClient client_;
  std::unique_ptr<Canvas> canvas_;
};

TEST(StreamSession, UpdatesFollowTheScreen) {
  Pipeline pipeline(100);
  StreamClient viewer(pipeline.port());
  uint64_t number = 0;
  for (int i = 0; i < 30; ++i) {
    viewer.read_update();
    EXPECT_GE(viewer.number(), number);  // the same when what rests is refined
    number = viewer.number();
    viewer.acknowledge();
  }
  EXPECT_GT(number, 5u);
  EXPECT_EQ(viewer.hello.model_ver, "copy-1.0");
  EXPECT_EQ(viewer.picture().size(), (Size{640, 360}));
}

TEST(StreamSession, ARestingScreenBecomesExactAndThenSaysNothing) {
  Pipeline pipeline(0.1);
  StreamClient viewer(pipeline.port()), other(pipeline.port());
  const auto is_silent = [](StreamClient& client) {
    std::this_thread::sleep_for(200ms);
    const bool silent = client.read_what_waits() == 0;
    client.acknowledge();
    return silent && client.updates > 0;
  };
  EXPECT_TRUE(eventually([&] { return is_silent(viewer) && is_silent(other); }));
  EXPECT_EQ(0, std::memcmp(viewer.picture().data(), other.picture().data(), other.picture().bytes()));
}

TEST(StreamSession, BaselineGoesOnBesideIt) {
  Pipeline pipeline(100);
  StreamClient viewer(pipeline.port());
  BeastClient baseline(pipeline.port());
  for (int i = 0; i < 20; ++i) {
    viewer.read_update();
    viewer.acknowledge();
    EXPECT_EQ(baseline.read_header().original, (Size{640, 360}));
  }
  EXPECT_EQ(pipeline.viewers(), 2u);
}

TEST(StreamSession, WhoDoesNotAcknowledgeGetsNoMoreThanAWindow) {
  Pipeline pipeline(200);
  StreamClient silent(pipeline.port()), reader(pipeline.port());
  for (int i = 0; i < 200; ++i) {
    reader.read_update();
    reader.acknowledge();
  }
  while (silent.read_what_waits() > 0) {
  }
  // A delivery may hold several.
  EXPECT_LE(silent.updates, RateControl::kMostUpdates + 16);
}

TEST(StreamSession, APingFloodThatIsNotReadHurtsItsSenderOnly) {
  Pipeline pipeline(100, {1280, 720});
  StreamClient good(pipeline.port());
  StreamClient flooder(pipeline.port());
  flooder.client().socket().set_option(boost::asio::socket_base::receive_buffer_size(2048));
  try {
    for (int i = 0; i < 3000; ++i) flooder.say(Ping{1e14 + i});
  } catch (const boost::system::system_error&) {
  }
  for (int i = 0; i < 30; ++i) {
    good.read_update();
    good.acknowledge();
  }
  EXPECT_GE(pipeline.viewers(), 1u);
}

TEST(StreamSession, RefreshBeginsAnew) {
  Pipeline pipeline(0.1);
  StreamClient viewer(pipeline.port());
  viewer.read_update();
  viewer.acknowledge();
  viewer.say(Refresh{});
  viewer.read_update();
  EXPECT_GE(viewer.number(), 1u);
}

/// Reads until the screen is at rest and exact; another viewer's picture is then the same.
void rest(StreamClient& viewer) {
  EXPECT_TRUE(eventually([&] {
    std::this_thread::sleep_for(150ms);
    const bool silent = viewer.read_what_waits() == 0;
    viewer.acknowledge();
    return silent;
  }));
}

void expect_same_picture(StreamClient& viewer, StreamClient& other) {
  rest(viewer);
  rest(other);
  ASSERT_EQ(viewer.picture().size(), other.picture().size());
  EXPECT_EQ(0, std::memcmp(viewer.picture().data(), other.picture().data(), other.picture().bytes()));
}

TEST(StreamSession, AViewerWhoseConnectionWasLostGoesOnWithWhatItHas) {
  Pipeline pipeline(4);
  StreamClient viewer(pipeline.port());
  viewer.read_update();
  viewer.read_update();
  viewer.client().socket().close();  // what it had not acknowledged, it had applied
  EXPECT_TRUE(eventually([&] { return pipeline.viewers() == 0; }));
  StreamClient back(pipeline.port(), viewer);
  EXPECT_TRUE(back.read_hello().resumed);
  EXPECT_NE(back.hello.session, viewer.hello.session);
  for (int i = 0; i < 5; ++i) {
    back.read_update();
    back.acknowledge();
  }
  EXPECT_EQ(back.resizes, 0);
}

TEST(StreamSession, AHangingConnectionIsTakenOverAndOnlyNewsTravel) {
  Pipeline pipeline(0.1);
  StreamClient viewer(pipeline.port());
  rest(viewer);
  const uint64_t all = viewer.bytes;
  StreamClient back(pipeline.port(), viewer);
  EXPECT_TRUE(back.read_hello().resumed);
  EXPECT_EQ(viewer.client().read_to_close(), "");  // ended without a word
  EXPECT_EQ(pipeline.viewers(), 1u);
  StreamClient other(pipeline.port());
  expect_same_picture(back, other);
  EXPECT_EQ(back.resizes, 0);
  EXPECT_LT(back.bytes, all / 20);
}

TEST(StreamSession, WhoComesBackTwiceBeforeItHeardOfTheFirstTimeGoesOnToo) {
  Pipeline pipeline(4);
  StreamClient viewer(pipeline.port());
  viewer.read_update();
  const Resumption known{viewer.hello.session, viewer.updates};
  { StreamClient unheard(pipeline.port(), known); }
  StreamClient back(pipeline.port(), viewer);
  EXPECT_TRUE(back.read_hello().resumed);
  back.read_update();
  EXPECT_EQ(back.resizes, 0);
}

TEST(StreamSession, WhatCannotBeResumedBeginsAnew) {
  Pipeline pipeline(50);
  StreamClient viewer(pipeline.port());
  viewer.read_update();
  viewer.acknowledge();
  viewer.read_update();
  viewer.read_what_waits();  // the acknowledgement has arrived
  const uint64_t updates = viewer.updates;
  for (const Resumption& wish :
       {Resumption{"", updates}, Resumption{std::string(32, '0'), updates},
        Resumption{viewer.hello.session.substr(1), updates}, Resumption{viewer.hello.session, 0},
        Resumption{viewer.hello.session, uint64_t{1} << 60}}) {
    StreamClient other(pipeline.port(), wish);
    EXPECT_FALSE(other.read_hello().resumed) << wish.updates;
    other.read_update();
    EXPECT_EQ(other.resizes, 1);
  }
}

TEST(StreamSession, OnlyTheNewestLostOnesAreKept) {
  Pipeline pipeline(50);
  std::vector<Resumption> lost;
  for (size_t i = 0; i < ResumableSessions::kMostParked + 2; ++i) {
    StreamClient viewer(pipeline.port());
    viewer.read_update();
    lost.push_back({viewer.hello.session, viewer.updates});
    viewer.client().socket().close();
    ASSERT_TRUE(eventually([&] { return pipeline.viewers() == 0; }));
  }
  StreamClient oldest(pipeline.port(), lost[0]), newer(pipeline.port(), lost[2]);
  EXPECT_FALSE(oldest.read_hello().resumed);
  EXPECT_TRUE(newer.read_hello().resumed);
}

class BadStreamClient : public testing::TestWithParam<BadMessage> {};

TEST_P(BadStreamClient, IsClosedWithAReasonAndOthersAreNot) {
  Pipeline pipeline(50);
  StreamClient good(pipeline.port());
  StreamClient bad(pipeline.port());
  bad.client().write(GetParam().text, GetParam().binary);
  EXPECT_NE(bad.client().read_to_close().find(GetParam().reason), std::string::npos);
  EXPECT_TRUE(eventually([&] { return pipeline.viewers() == 1; }));
  for (int i = 0; i < 5; ++i) {
    EXPECT_NO_THROW(good.read_update());
    good.acknowledge();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadStreamClient,
    testing::Values(BadMessage{"NoJson", "hello", false, "not a JSON object"},
                    BadMessage{"UnknownType", R"({"type":"dance"})", false, "unknown message type dance"},
                    BadMessage{"SecondHello", R"({"type":"hello"})", false, "a second hello"},
                    BadMessage{"AckOfTheFuture", R"({"type":"ack","updates":1000000})", false,
                               "were not sent"},
                    BadMessage{"ShortPrefix", "abc", true, "shorter than its length prefix"}),
    [](const auto& test) { return test.param.name; });

TEST(StreamSession, StoppingSaysGoodbye) {
  Pipeline pipeline(50);
  StreamClient client(pipeline.port());
  client.read_update();
  pipeline.close_all();
  EXPECT_THROW(while (true) client.read_update(), boost::system::system_error);
  EXPECT_EQ(client.bye, "server is stopping");
  EXPECT_EQ(client.client().close_code(), 1001);
}

}  // namespace
}  // namespace latentdesk
