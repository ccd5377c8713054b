#include "server/static_files.h"
#include "tests/running_gate.h"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <fstream>
#include <ifaddrs.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// Who is let in, by which protocol, and what is said to whom is not.

namespace latentdesk {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

/// What the log says while this lives.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    auto logger =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
    logger->set_level(spdlog::level::debug);
    spdlog::set_default_logger(logger);
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  /// Once the gate has ended.
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_;
};

/// An address of this machine that is not loopback: whoever comes from there counts as another machine.
std::optional<asio::ip::address> other_address() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return std::nullopt;
  std::optional<asio::ip::address> found;
  for (const ifaddrs* one = all; one && !found; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
    tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), one->ifa_addr, sizeof(sockaddr_in));
    if (!endpoint.address().is_loopback()) found = endpoint.address();
  }
  freeifaddrs(all);
  return found;
}

/// Runs in a process of user nobody; what it returns.
template <typename Function>
std::string as_nobody(Function function) {
  constexpr uid_t kNobody = 65534;
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    std::string result = "cannot become nobody";
    if (setuid(kNobody) == 0) result = function();
    _exit(write(ends[1], result.data(), result.size()) == static_cast<ssize_t>(result.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string result;
  char part[256];
  for (ssize_t n = 0; (n = read(ends[0], part, sizeof(part))) > 0;)
    result.append(part, static_cast<size_t>(n));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  return result;
}

TEST(Gate, SpeaksBothProtocolsOnOnePort) {
  RunningGate gate({.tls = self_signed(), .insecure = true});
  EXPECT_EQ(outcome(gate.port(), {.tls = true}), "full");
  EXPECT_EQ(outcome(gate.port(), {.tls = false}), "full");
}

TEST(Gate, SendsWhatComesInClearToTls) {
  RunningGate gate({.tls = self_signed()});
  EXPECT_EQ(outcome(gate.port(), {.tls = true}), "full");
  GateClient client(gate.port(), {.tls = false});
  EXPECT_EQ(client.status(), 426u);
  EXPECT_NE(client.body().find("wss://localhost"), std::string::npos) << client.body();
}

/// The answer to raw bytes, until the server closes.
std::string raw_answer(uint16_t port, const std::string& request) {
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect({asio::ip::address_v4::loopback(), port});
  error_code end;  // it may close before it has read everything
  asio::write(socket, asio::buffer(request), end);
  std::string answer;
  asio::read(socket, asio::dynamic_buffer(answer), end);
  return answer;
}

TEST(Gate, RedirectsPagesToHttpsButNotWithAnHostileHost) {
  RunningGate gate({.tls = self_signed()});
  const std::string page = raw_answer(gate.port(), "GET /a?b=c HTTP/1.1\r\nHost: gpu:1\r\n\r\n");
  EXPECT_NE(page.find("307"), std::string::npos) << page;
  EXPECT_NE(page.find("Location: https://gpu:1/a?b=c\r\n"), std::string::npos) << page;
  EXPECT_NE(raw_answer(gate.port(), "GET / HTTP/1.1\r\nHost: a\"><b\r\n\r\n").find("400"), std::string::npos);
  EXPECT_NE(raw_answer(gate.port(), "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").find("200"),
            std::string::npos);
}

TEST(Gate, SaysThatItHasNoTls) {
  RunningGate gate({});
  GateClient client(gate.port(), {.tls = true});
  EXPECT_EQ(client.status(), 0u);
}

TEST(Gate, WhatIsNeitherHttpNorTlsIsEnded) {
  RunningGate gate({.tls = self_signed()});
  EXPECT_EQ(raw_answer(gate.port(), std::string("\x16\x03\x01\x00\x05\x02hello\r\n\r\n", 14)), "");
  EXPECT_EQ(raw_answer(gate.port(), "SSH-2.0-OpenSSH_9.2\r\n\r\n"), "");
  EXPECT_EQ(raw_answer(gate.port(), "GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x')), "");
  EXPECT_TRUE(eventually([&] { return gate.handshakes() == 0; }));
  EXPECT_EQ(outcome(gate.port(), {.tls = true}), "full");
}

TEST(Gate, TokensInTheRequest) {
  RunningGate gate(with_tokens());
  EXPECT_EQ(outcome(gate.port(), {.target = kTokenTarget}), "full");
  EXPECT_EQ(outcome(gate.port(), {.target = kViewTarget}), "view");
  GateClient wrong(gate.port(), {.target = "/?token=guess"});
  EXPECT_EQ(wrong.status(), 401u);
  EXPECT_EQ(wrong.body(), "the token is wrong\n");
}

TEST(Gate, OriginsMustBeOursOrAllowed) {
  RunningGate gate({.allowed_origins = {"https://lab.example"}});
  EXPECT_EQ(outcome(gate.port(), {.origin = "http://localhost", .host = "localhost"}), "full");
  EXPECT_EQ(outcome(gate.port(), {.origin = "https://lab.example"}), "full");
  EXPECT_EQ(outcome(gate.port(), {.origin = "https://lab.example.org"}), "403");
  EXPECT_EQ(outcome(gate.port(), {.origin = "null"}), "403");
}

TEST(Gate, AReboundNameNeedsAToken) {
  const Ask rebound{.origin = "http://evil.example", .host = "evil.example"};
  RunningGate without({}), with(with_tokens());
  EXPECT_EQ(outcome(without.port(), rebound), "403");
  EXPECT_EQ(outcome(with.port(), rebound), "401");
}

TEST(Gate, OtherMachinesNeedAToken) {
  const auto address = other_address();
  if (!address) GTEST_SKIP() << "this machine has no address but loopback";
  GateConfig config = with_tokens();
  config.tls = self_signed();
  RunningGate gate(std::move(config), "0.0.0.0");
  EXPECT_EQ(outcome(gate.port(), {.tls = true, .server = *address}), "401");
  EXPECT_EQ(outcome(gate.port(), {.tls = true, .target = kTokenTarget, .server = *address}), "full");
  EXPECT_EQ(outcome(gate.port(), {.tls = true, .target = kViewTarget, .server = *address}), "view");
  EXPECT_EQ(outcome(gate.port(), {.tls = false, .target = kTokenTarget, .server = *address}), "426");
}

TEST(Gate, ANewerClientGivesItsTokenInHello) {
  const auto address = other_address();
  if (!address) GTEST_SKIP() << "this machine has no address but loopback";
  GateConfig config = with_tokens();
  config.tls = self_signed();
  RunningGate gate(std::move(config), "0.0.0.0");
  Ask ask{.tls = true, .subprotocol = "latentdesk.2", .server = *address, .hello = kViewToken};
  EXPECT_EQ(outcome(gate.port(), ask), "view");
  ask.hello = kToken;
  EXPECT_EQ(outcome(gate.port(), ask), "full");
  ask.hello = "guess";
  EXPECT_EQ(outcome(gate.port(), ask), "closed 4401");
  ask.target = "/?token=guess";
  EXPECT_EQ(outcome(gate.port(), ask), "429") << "even before the upgrade";
}

TEST(Gate, GuessingIsSlowedDownForWhoGuesses) {
  const auto address = other_address();
  if (!address) GTEST_SKIP() << "this machine has no address but loopback";
  GateConfig config = with_tokens();
  config.insecure = true;
  RunningGate gate(std::move(config), "0.0.0.0");
  EXPECT_EQ(outcome(gate.port(), {.target = "/?token=guess1", .server = *address}), "401");
  EXPECT_EQ(outcome(gate.port(), {.target = "/?token=guess2", .server = *address}), "429");
  EXPECT_EQ(outcome(gate.port(), {.target = kTokenTarget, .server = *address}), "429") << "the right one too";
  EXPECT_EQ(outcome(gate.port(), {.target = kTokenTarget}), "full") << "others are not held up";
  std::this_thread::sleep_for(1100ms);
  EXPECT_EQ(outcome(gate.port(), {.target = kTokenTarget, .server = *address}), "full");
  EXPECT_EQ(outcome(gate.port(), {.target = "/?token=guess3", .server = *address}), "401");
  std::this_thread::sleep_for(1100ms);
  EXPECT_EQ(outcome(gate.port(), {.target = kTokenTarget, .server = *address}), "429") << "twice as long";
}

TEST(Gate, AnotherUserOfThisMachineNeedsAToken) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  RunningGate without({}), with(with_tokens());
  EXPECT_EQ(as_nobody([&] { return outcome(without.port(), {}); }), "403");
  EXPECT_EQ(as_nobody([&] { return outcome(with.port(), {}); }), "401");
  EXPECT_EQ(as_nobody([&] { return outcome(with.port(), {.target = kTokenTarget}); }), "full");
  EXPECT_EQ(outcome(with.port(), {}), "full") << "and we do not";
}

TEST(Gate, ViewersAreCounted) {
  GateConfig config;
  config.max_viewers = 2;
  RunningGate gate(std::move(config));
  auto first = std::make_unique<GateClient>(gate.port(), Ask{});
  GateClient second(gate.port(), {});
  EXPECT_EQ(first->read() + second.read(), "fullfull");
  EXPECT_EQ(outcome(gate.port(), {}), "503");
  first.reset();
  EXPECT_TRUE(eventually([&] { return gate.viewers() == 1; }));
  EXPECT_EQ(outcome(gate.port(), {}), "full");
}

TEST(Gate, TokensAndControlCharactersNeverReachTheLog) {
  CapturedLog log;
  {
    RunningGate gate(with_tokens());
    outcome(gate.port(), {.target = "/?token=the-wrong-one"});
    outcome(gate.port(), {.target = kTokenTarget});
    outcome(gate.port(), {.origin = "http://\x1b[31mred"});
    raw_answer(gate.port(), "GET /\x1b[31m HTTP/1.1\r\n\r\n");
  }
  EXPECT_NE(log.text().find("the token is wrong"), std::string::npos) << log.text();
  for (const char* secret : {"the-wrong-one", "correct", "\x1b"})
    EXPECT_EQ(log.text().find(secret), std::string::npos) << log.text();
}

}  // namespace
}  // namespace latentdesk
