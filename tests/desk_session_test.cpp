#include "common/stream/messages.h"
#include "server/server.h"
#include "server/x11_connection.h"
#include "tests/beast_client.h"
#include "tests/eventually.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include <X11/Xlib.h>
#include <X11/extensions/XTest.h>
#include <X11/keysym.h>
#undef CursorShape  // a macro of Xlib

// Viewers at the desk of a whole server, with a real Xvfb.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

class RunningServer {
 public:
  explicit RunningServer(const ServerOptions& options)
      : server_(options), thread_([this] { server_.run(); }) {}
  ~RunningServer() {
    stop();
    thread_.join();
  }
  void stop() { server_.stop(); }
  uint16_t port() const { return server_.endpoint().port(); }

 private:
  Server server_;
  std::thread thread_;
};

/// A viewer that acknowledges what it gets, on a thread of its own.
class DeskViewer {
 public:
  explicit DeskViewer(uint16_t port, const ViewerHello& hello = {})
      : client_(port, {}, std::string(kSubprotocol)) {
    say(hello);
    thread_ = std::thread([this] { read_all(); });
  }
  ~DeskViewer() {
    vanish();
    thread_.join();
  }

  void say(const ViewerMessage& message) {
    std::lock_guard lock(writing_);
    client_.write(serialize(message), true);
  }
  void do_all(std::vector<InputEvent> events) { say(Input{std::move(events)}); }
  /// As if its process had been killed.
  void vanish() {
    boost::system::error_code ignored;
    client_.socket().shutdown(boost::asio::socket_base::shutdown_both, ignored);
  }

  ControlState control() const { return control_; }
  uint64_t updates() const { return updates_; }
  uint64_t update_bytes() const { return update_bytes_; }
  template <typename Message>
  std::optional<Message> last() {
    std::lock_guard lock(mutex_);
    for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
      if (const auto* found = std::get_if<Message>(&*message)) return *found;
    }
    return std::nullopt;
  }
  bool is_control(ControlState state) {
    return eventually([=, this] { return control_ == state; });
  }

 private:
  void read_all() try {
    while (true) {
      const auto message = client_.read();
      ServerMessage content = parse_server_message(split_message(message));
      if (std::holds_alternative<UpdateAhead>(content)) {
        update_bytes_ += message.size();
        say(Ack{++updates_});
        continue;
      }
      if (const auto* control = std::get_if<Control>(&content)) control_ = control->state;
      std::lock_guard lock(mutex_);
      messages_.push_back(std::move(content));
    }
  } catch (const boost::system::system_error&) {
  }

  BeastClient client_;
  std::thread thread_;
  std::mutex writing_, mutex_;
  std::vector<ServerMessage> messages_;
  std::atomic<ControlState> control_{ControlState::none};
  std::atomic<uint64_t> updates_{0}, update_bytes_{0};
};

class DeskSession : public testing::Test {
 protected:
  DeskSession() : display_({800, 600}) {
    setenv("XAUTHORITY", display_.authority_file().c_str(), 1);
    connection_ = std::make_unique<X11Connection>(display_.name());
    options_.display = display_.name();
    options_.listen = "127.0.0.1:0";
    options_.quality = 50;
    options_.model = std::string(LATENTDESK_MODELS_DIR) + "/latentdesk-lite.safetensors";
    options_.codec.device = Device::cpu;
  }
  void start() { server_ = std::make_unique<RunningServer>(options_); }
  std::unique_ptr<DeskViewer> viewer(const ViewerHello& hello = {}) {
    auto viewer = std::make_unique<DeskViewer>(server_->port(), hello);
    EXPECT_TRUE(eventually([&] { return viewer->last<Control>() && viewer->updates() > 0; }));
    return viewer;
  }

  struct Pointer {
    int x = 0, y = 0;
    unsigned state = 0;
    bool operator==(const Pointer&) const = default;
  };
  Pointer pointer() {
    Window root, child;
    int window_x, window_y;
    Pointer found;
    XQueryPointer(connection_->get(), connection_->root(), &root, &child, &found.x, &found.y, &window_x,
                  &window_y, &found.state);
    return found;
  }
  bool comes_to(const Pointer& expected) {
    return eventually([&] { return pointer() == expected; });
  }

  const InputEvent shift_down_ = KeyInput{XK_Shift_L, true};
  const InputEvent button_down_ = ButtonInput{1, true};
  VirtualDisplay display_;
  std::unique_ptr<X11Connection> connection_;
  ServerOptions options_;
  std::unique_ptr<RunningServer> server_;
};

TEST_F(DeskSession, TheFirstThatClicksHasControlWhereItPointed) {
  start();
  const auto first = viewer(), second = viewer();
  EXPECT_EQ(first->control(), ControlState::free);
  first->do_all({MoveInput{10, 20}});
  std::this_thread::sleep_for(100ms);
  EXPECT_NE(pointer(), (Pointer{10, 20, 0}));  // pointing alone is nothing
  first->do_all({button_down_});
  EXPECT_TRUE(comes_to({10, 20, Button1Mask}));
  EXPECT_TRUE(first->is_control(ControlState::yours));
  EXPECT_TRUE(second->is_control(ControlState::taken));
  second->do_all({MoveInput{300, 300}, shift_down_});
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(pointer(), (Pointer{10, 20, Button1Mask}));
}

TEST_F(DeskSession, WhoLosesControlHoldsNothingAnyMore) {
  start();
  const auto first = viewer(), second = viewer();
  first->do_all({MoveInput{10, 20}, shift_down_, button_down_});
  EXPECT_TRUE(comes_to({10, 20, ShiftMask | Button1Mask}));
  second->say(ControlWish{true});
  EXPECT_TRUE(comes_to({10, 20, 0}));
  EXPECT_TRUE(first->is_control(ControlState::taken));
  second->do_all({MoveInput{30, 40}, shift_down_});
  EXPECT_TRUE(comes_to({30, 40, ShiftMask}));
  second->say(ControlWish{false});
  EXPECT_TRUE(comes_to({30, 40, 0}));
  EXPECT_TRUE(first->is_control(ControlState::free));
}

TEST_F(DeskSession, WhatAViewerHeldIsUpSoonAfterItVanished) {
  start();
  const auto first = viewer(), second = viewer();
  first->do_all({MoveInput{10, 20}, shift_down_, button_down_});
  ASSERT_TRUE(comes_to({10, 20, ShiftMask | Button1Mask}));
  const auto start = SteadyClock::now();
  first->vanish();
  EXPECT_TRUE(comes_to({10, 20, 0}));
  EXPECT_LT(SteadyClock::now() - start, 1s);
  EXPECT_TRUE(second->is_control(ControlState::free));
}

TEST_F(DeskSession, WhoIsSilentHoldsNothingForLong) {
  start();
  const auto first = viewer();
  first->do_all({MoveInput{10, 20}, shift_down_});
  ASSERT_TRUE(comes_to({10, 20, ShiftMask}));
  auto silent_since = SteadyClock::now();
  for (int i = 0; i < 6; ++i) {  // as long as it pings it holds
    std::this_thread::sleep_for(500ms);
    silent_since = SteadyClock::now();
    first->say(Ping{1});
  }
  EXPECT_EQ(pointer(), (Pointer{10, 20, ShiftMask}));
  EXPECT_TRUE(comes_to({10, 20, 0}));
  EXPECT_GE(SteadyClock::now() - silent_since, 1900ms);
  EXPECT_LT(SteadyClock::now() - silent_since, 2500ms);
  EXPECT_EQ(first->control(), ControlState::yours);  // it may come back
}

TEST_F(DeskSession, WhoOnlyLooksDoesNothing) {
  start();
  const auto before = pointer();
  const auto watcher = viewer({.view_only = true});
  EXPECT_FALSE(watcher->last<ServerHello>()->clipboard);
  EXPECT_FALSE(watcher->last<ServerHello>()->resizable);
  watcher->say(ControlWish{true});
  watcher->do_all({MoveInput{10, 20}, button_down_});
  watcher->say(SizeWish{{400, 300}});
  watcher->say(Clipboard{"text"});
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(pointer(), before);
  EXPECT_EQ(watcher->control(), ControlState::none);
  EXPECT_EQ(watcher->last<Resize>()->size, (Size{800, 600}));
}

TEST_F(DeskSession, AServerForLookingObeysNobody) {
  options_.view_only = true;
  start();
  const auto before = pointer();
  const auto first = viewer();
  first->do_all({MoveInput{10, 20}, button_down_});
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(pointer(), before);
  EXPECT_EQ(first->control(), ControlState::none);
}

TEST_F(DeskSession, MovingThePointerCostsNoPixels) {
  start();
  const auto first = viewer(), second = viewer();
  first->do_all({MoveInput{10, 20}, button_down_, ButtonInput{1, false}});
  ASSERT_TRUE(comes_to({10, 20, 0}));
  ASSERT_TRUE(eventually([&] { return first->last<CursorShape>() && second->last<CursorShape>(); }));
  EXPECT_GT(first->last<CursorShape>()->size.width, 0);
  std::this_thread::sleep_for(1s);  // what rests has become exact
  const auto bytes = first->update_bytes();
  for (int i = 1; i <= 100; ++i) {
    first->do_all({MoveInput{10 + i * 7, 20 + i * 5}});
    std::this_thread::sleep_for(5ms);
  }
  ASSERT_TRUE(comes_to({710, 520, 0}));
  EXPECT_TRUE(eventually([&] { return second->last<PointerPosition>() == PointerPosition{710, 520}; }));
  EXPECT_NE(first->last<PointerPosition>(), (PointerPosition{710, 520}));  // it knows
  EXPECT_EQ(first->update_bytes(), bytes);
}

TEST_F(DeskSession, BaselineViewersHaveThePointerInThePictureAndOthersDoNot) {
  start();
  const auto first = viewer();
  first->do_all({MoveInput{400, 300}, button_down_, ButtonInput{1, false}});
  std::this_thread::sleep_for(1s);
  const auto bytes = first->update_bytes();
  BeastClient baseline(server_->port());
  const auto payload_of_next = [&] {
    const auto message = baseline.read();
    const auto payload = split_message(message).payload;
    return std::vector<uint8_t>(payload.begin(), payload.end());
  };
  const auto before = payload_of_next();
  first->do_all({MoveInput{100, 100}});
  bool changed = false;
  for (int i = 0; i < 4 && !changed; ++i) changed = payload_of_next() != before;
  EXPECT_TRUE(changed);
  EXPECT_EQ(first->update_bytes(), bytes);
}

TEST_F(DeskSession, TheScreenGetsTheViewersSize) {
  start();
  const auto first = viewer(), second = viewer();
  EXPECT_TRUE(first->last<ServerHello>()->resizable);
  second->say(SizeWish{{400, 300}});  // has no control
  first->say(ControlWish{true});
  first->say(SizeWish{{640, 480}});
  EXPECT_TRUE(eventually([&] { return first->last<Resize>()->size == Size{640, 480}; }));
  EXPECT_TRUE(eventually([&] { return second->last<Resize>()->size == Size{640, 480}; }));
}

TEST_F(DeskSession, TheClipboardGoesToWhoHasControlOnly) {
  start();
  const auto first = viewer(), second = viewer();
  EXPECT_TRUE(first->last<ServerHello>()->clipboard);
  first->say(ControlWish{true});
  ASSERT_TRUE(first->is_control(ControlState::yours));
  const std::string text(kMaxClipboardBytes, 'x');
  second->say(Clipboard{"of another"});
  first->say(Clipboard{text});
  const std::string environment = "DISPLAY=" + display_.name() + " timeout 20 ";
  const std::string count =
      environment + "xclip -o -selection clipboard 2>/dev/null | wc -c | grep -qx 1048576";
  EXPECT_TRUE(eventually([&] { return std::system(count.c_str()) == 0; }));
  ASSERT_EQ(std::system(("printf copied | " + environment + "xclip -selection clipboard").c_str()), 0);
  EXPECT_TRUE(eventually([&] { return first->last<Clipboard>() == Clipboard{"copied"}; }));
  EXPECT_FALSE(second->last<Clipboard>());
}

TEST_F(DeskSession, StoppingSaysByeToEveryViewer) {
  start();
  const auto first = viewer(), second = viewer();
  server_->stop();
  EXPECT_TRUE(eventually([&] { return first->last<Bye>() == Bye{"server is stopping"}; }));
  EXPECT_TRUE(eventually([&] { return second->last<Bye>() == Bye{"server is stopping"}; }));
}

#ifdef __SANITIZE_ADDRESS__
constexpr size_t kMostGrowth = 200'000;  // kB; it keeps for a while what was freed
#else
constexpr size_t kMostGrowth = 20'000;
#endif

size_t resident_kilobytes() {
  std::ifstream status("/proc/self/statm");
  size_t total = 0, resident = 0;
  status >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

// The flooder's own messages are in this process too, so they are made once.
TEST_F(DeskSession, AFloodOfInputIsBoundedAndSaidAndHurtsNobodyElse) {
  std::ostringstream log;
  const auto logger = spdlog::default_logger();
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  start();
  const auto other = viewer();
  auto flooder = viewer();
  std::vector<InputEvent> events;
  for (size_t i = 0; i < kMaxInputEvents; ++i)
    events.push_back(KeyInput{static_cast<uint32_t>('a' + i / 2 % 26), i % 2 == 0});
  const size_t before = resident_kilobytes();
  std::thread flood([&] {
    try {
      for (size_t sent = 0; sent < 1'000'000; sent += events.size()) flooder->do_all(events);
    } catch (const boost::system::system_error&) {
    }
  });
  std::this_thread::sleep_for(3s);
  // Others are answered at once meanwhile.
  for (int i = 0; i < 20; ++i) {
    const auto start = SteadyClock::now();
    other->say(Ping{i + 1.0});
    EXPECT_TRUE(eventually([&] {
      const auto pong = other->last<Pong>();
      return pong && pong->time == i + 1.0;
    }));
    EXPECT_LT(SteadyClock::now() - start, 500ms);
  }
  EXPECT_LT(resident_kilobytes(), before + kMostGrowth);
  other->say(ControlWish{true});  // and may end it
  other->do_all({MoveInput{5, 6}});
  EXPECT_TRUE(comes_to({5, 6, 0}));
  flooder->vanish();
  flood.join();
  flooder.reset();
  server_.reset();
  spdlog::set_default_logger(logger);
  EXPECT_NE(log.str().find("sends more than any viewer has reason to"), std::string::npos) << log.str();
}

}  // namespace
}  // namespace latentdesk
