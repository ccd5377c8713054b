#include "server/session.h"

#include "server/capture_loop.h"
#include "server/encode_loop.h"
#include "server/gate.h"
#include "server/hub.h"
#include "server/listener.h"
#include "server/stream_session.h"
#include "server/synthetic_capture.h"
#include "tests/beast_client.h"
#include "tests/gate_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <future>
#include <thread>

// All of the server's threads, with real sockets and real clients. Runs under ThreadSanitizer too, which does
// not understand OpenMP: so the encoder is one that copies the picture's first rows instead of a network.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

constexpr int kChannels = 96;

// ThreadSanitizer does not see into libspdlog: what that makes at its first use is made before there are
// threads.
const auto kLogger = spdlog::default_logger();

class CopyingEncoder : public Encoder {
 public:
  void analyse(ImageView image) override {
    shape_ = latent_shape(image.size, kChannels);
    first_row_.assign(image.row(0), image.row(0) + image.size.width * kBytesPerPixel);
  }
  void analyse_tiles(std::span<const ImageView> tiles) override {
    shape_ = tile_latent_shape(static_cast<int>(tiles.size()), kChannels);
    first_row_.assign(tiles[0].row(0), tiles[0].row(0) + tiles[0].size.width * kBytesPerPixel);
  }
  void quantise(float scale, Latents& out) override {
    out.resize(shape_);
    out.scale = scale;
    for (size_t i = 0; i < out.values.size(); ++i)
      out.values[i] = static_cast<int8_t>(first_row_[i % first_row_.size()]);
  }

 private:
  LatentShape shape_;
  std::vector<uint8_t> first_row_;
};

Model scale_only_model() {
  Model model;
  model.name = "copy";
  model.version = "1";
  model.hash = "0";
  model.scale_min = 0.01f;
  model.scale_max = 1;
  model.latent_channels = kChannels;
  return model;
}

/// The server without options, display and signals.
class Pipeline {
 public:
  explicit Pipeline(double fps, Size size = {640, 360}, GateConfig gate = {})
      : acceptor_(listen(context_, {boost::asio::ip::address_v4::loopback(), 0})),
        capture_loop_([=] { return open_pattern_capture(size, fps); }, 1000, demand_, frames_, bell_),
        hub_(context_, demand_,
             {.refresh = [this] { capture_loop_.refresh(); },
              .want_packets = [this](bool wanted) { encode_loop_.want_packets(wanted); },
              .request = [this](uint64_t viewer,
                                const StreamRequest& request) { encode_loop_.request(viewer, request); },
              .remove = [this](uint64_t viewer) { encode_loop_.remove(viewer); }}),
        gate_(std::move(gate),
              [this](Transport transport, HttpRequest request, std::unique_ptr<Admission> admission) {
                return offers_subprotocol(request, kSubprotocol)
                           ? serve_stream_viewer(std::move(transport), std::move(request),
                                                 std::move(admission), hub_, stream_config_)
                           : serve_viewer(std::move(transport), std::move(request), std::move(admission), hub_);
              }),
        encode_loop_({std::make_unique<CopyingEncoder>(), std::make_unique<CopyingEncoder>()},
                     scale_only_model(), 50, GpuBudget(100), frames_, bell_,
                     {.on_packet = [this](PacketPtr packet) { deliver(std::move(packet)); },
                      .on_delivery = [this](StreamDelivery delivery) { deliver(std::move(delivery)); },
                      .on_missed = [this] { capture_loop_.refresh(); }}) {
    demand_.on_open([this] { capture_loop_.wake(); });
    boost::asio::co_spawn(context_, accept_connections(acceptor_, gate_), boost::asio::detached);
    capture_ = std::thread([this] { capture_loop_.run(); });
    encode_ = std::thread([this] { encode_loop_.run(); });
    network_ = std::thread([this] { context_.run(); });
  }

  ~Pipeline() {
    capture_loop_.stop();
    frames_.close();
    bell_.close();
    context_.stop();
    for (std::thread* thread : {&capture_, &encode_, &network_}) thread->join();
  }

  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  template <typename Function>
  auto on_network_thread(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    boost::asio::post(context_, [&task] { task(); });
    return result.get();
  }

  size_t viewers() {
    return on_network_thread([this] { return hub_.viewers(); });
  }
  void close_all() {
    on_network_thread([this] { hub_.close_all(); });
  }
  bool has_demand() const { return demand_.is_open(); }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  Demand demand_;
  template <typename Made>
  void deliver(Made made) {
    boost::asio::post(context_, [this, made = std::move(made)]() mutable { hub_.deliver(std::move(made)); });
  }

  Latest<Frame> frames_;
  Doorbell bell_;
  StreamConfig stream_config_{.model_ver = "copy-1.0", .device = "test", .quality = 50};
  CaptureLoop capture_loop_;
  Hub hub_;
  Gate gate_;
  EncodeLoop encode_loop_;
  std::thread capture_, encode_, network_;
};

template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 500; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

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

struct BadMessage {
  const char* name;
  std::string text;
  bool binary;
  const char* reason;
};

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
  GateClient client(pipeline.port(),
                    {.origin = "http://evil.example", .subprotocol = "latentdesk.2", .host = "evil.example"});
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
