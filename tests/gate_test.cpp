#include "server/gate.h"

#include "server/listener.h"
#include "server/server_tls.h"
#include "server/static_files.h"
#include "tests/gate_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <ifaddrs.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

// The gate with real sockets and clients; its sessions only say what access they were given.

namespace latentdesk {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kToken = "correct horse battery staple";
constexpr const char* kTokenTarget = "/?token=correct%20horse%20battery%20staple";
constexpr const char* kViewToken = "look-but-do-not-touch";
constexpr const char* kViewTarget = "/?token=look-but-do-not-touch";

/// A session: takes the token from the first message when it has to, says what it got, and waits for the end.
asio::awaitable<void> tell_access(Transport transport, HttpRequest request,
                                  std::unique_ptr<Admission> admission) {
  websocket::stream<Transport> socket(std::move(transport));
  co_await socket.async_accept(request, asio::use_awaitable);
  boost::beast::flat_buffer buffer;
  if (!admission->access()) {
    co_await socket.async_read(buffer, asio::use_awaitable);
    const Decision decision = admission->enter(boost::beast::buffers_to_string(buffer.data()));
    if (!decision.access) {
      const auto code = static_cast<websocket::close_code>(close_code(decision.refusal));
      const websocket::close_reason reason(code, decision.reason);
      co_await socket.async_close(reason, asio::use_awaitable);
      co_return;
    }
  }
  const std::string greeting = admission->access()->control ? "full" : "view";
  co_await socket.async_write(asio::buffer(greeting), asio::use_awaitable);
  error_code end;
  while (!end) co_await socket.async_read(buffer, asio::redirect_error(asio::use_awaitable, end));
}

class RunningGate {
 public:
  explicit RunningGate(GateConfig config, const char* address = "127.0.0.1")
      : acceptor_(listen(context_, {asio::ip::make_address(address), 0})),
        gate_(std::move(config), tell_access) {
    asio::co_spawn(context_, accept_connections(acceptor_, gate_), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~RunningGate() {
    context_.stop();
    thread_.join();
  }

  uint16_t port() const { return acceptor_.local_endpoint().port(); }

  size_t handshakes() {
    return on_its_thread([](const Entrance& entrance) { return entrance.handshakes.size(); });
  }
  size_t viewers() {
    return on_its_thread([](const Entrance& entrance) { return entrance.viewers; });
  }

 private:
  template <typename Function>
  size_t on_its_thread(Function function) {
    std::promise<size_t> answer;
    asio::post(context_, [&] { answer.set_value(function(gate_.entrance())); });
    return answer.get_future().get();
  }

  asio::io_context context_;
  tcp::acceptor acceptor_;
  Gate gate_;
  std::thread thread_;
};

template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

std::shared_ptr<asio::ssl::context> self_signed() {
  setenv("XDG_STATE_HOME", (testing::TempDir() + "gate-test-" + std::to_string(getpid())).c_str(), 1);
  ServerOptions options;
  options.tls_self_signed = true;
  return open_tls(options).context;
}

GateConfig with_tokens() { return {.tokens = Tokens(kToken, kViewToken)}; }

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

/// In a word: the access given, or the HTTP status.
std::string outcome(uint16_t port, const Ask& ask) {
  GateClient client(port, ask);
  if (client.status() != 101) return std::to_string(client.status());
  const std::string greeting = client.read();
  return greeting.empty() ? "closed " + std::to_string(client.close_code()) : greeting;
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

/// Connections that say `bytes` and then nothing.
std::vector<tcp::socket> half_open(asio::io_context& context, uint16_t port, int count,
                                   const std::string& bytes) {
  std::vector<tcp::socket> sockets;
  for (int i = 0; i < count; ++i) {
    sockets.emplace_back(context).connect({asio::ip::address_v4::loopback(), port});
    error_code ignored;  // it may have been ended already
    asio::write(sockets.back(), asio::buffer(bytes), ignored);
  }
  return sockets;
}

TEST(Gate, ADownloadMayTakeLongerThanAHandshake) {
  const auto files = std::make_shared<StaticFiles>();
  files->add("/large", std::string(32 << 20, 'x'), false, false);
  GateConfig config;
  config.handshakes.time = 300ms;
  config.files = files;
  RunningGate gate(std::move(config));
  asio::io_context context;
  auto slow = half_open(context, gate.port(), 1, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  std::this_thread::sleep_for(900ms);
  EXPECT_EQ(gate.handshakes(), 1u);  // what is downloaded keeps a place that others may need
  std::string answer;
  error_code end;
  asio::read(slow.front(), asio::dynamic_buffer(answer), end);
  EXPECT_GT(answer.size(), size_t{32} << 20);
  EXPECT_TRUE(eventually([&] { return gate.handshakes() == 0; }));
}

/// What a TLS client sends first.
std::string client_hello() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(ssl);
  SSL_do_handshake(ssl);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out, &bytes);
  const std::string hello(bytes, static_cast<size_t>(size));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return hello;
}

struct Silence {
  const char* name;
  std::string bytes;
};

class SilentClient : public testing::TestWithParam<Silence> {};

TEST_P(SilentClient, IsEndedInTime) {
  GateConfig config;
  config.tls = self_signed();
  config.handshakes.time = 300ms;
  RunningGate gate(std::move(config));
  asio::io_context context;
  auto silent = half_open(context, gate.port(), 1, GetParam().bytes);
  const auto start = Clock::now();
  std::string answer;
  error_code end;
  asio::read(silent.front(), asio::dynamic_buffer(answer), end);
  EXPECT_TRUE(end == asio::error::eof || end == asio::error::connection_reset) << end.message();
  EXPECT_GT(Clock::now() - start, 200ms);
  EXPECT_LT(Clock::now() - start, 5s);
  EXPECT_TRUE(eventually([&] { return gate.handshakes() == 0; }));
}

INSTANTIATE_TEST_SUITE_P(Each, SilentClient,
                         testing::Values(Silence{"Nothing", ""}, Silence{"FirstByteOfTls", "\x16"},
                                         Silence{"HalfAClientHello", client_hello().substr(0, 60)},
                                         Silence{"AWholeClientHello", client_hello()},
                                         Silence{"HalfARequest", "GET / HTTP/1.1\r\nHost: a\r\n"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Gate, DropByDropIsNotInTimeEither) {
  GateConfig config;
  config.handshakes.time = 500ms;
  RunningGate gate(std::move(config));
  asio::io_context context;
  auto slow = half_open(context, gate.port(), 1, "GET / HTTP/1.1\r\n");
  const auto start = Clock::now();
  error_code error;
  while (!error && Clock::now() - start < 10s) {
    asio::write(slow.front(), asio::buffer("X: y\r\n", 6), error);
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_LT(Clock::now() - start, 5s);
}

TEST(Gate, SilenceInPlaceOfHelloIsNotInTimeEither) {
  GateConfig config = with_tokens();
  config.handshakes.time = 300ms;
  RunningGate gate(std::move(config));
  // A rebound name, so that this process does not count as our own user.
  GateClient client(gate.port(),
                    {.origin = "http://evil.example", .subprotocol = "latentdesk.2", .host = "evil.example"});
  EXPECT_EQ(client.status(), 101u);
  EXPECT_EQ(client.read(), "");
  EXPECT_TRUE(eventually([&] { return gate.handshakes() == 0; }));
}

long resident_kib() {
  std::ifstream status("/proc/self/statm");
  long pages = 0, resident = 0;
  status >> pages >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

TEST(Gate, AThousandHalfOpenHandshakesHoldNobodyUp) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 3000) GTEST_SKIP() << "too few file descriptors are allowed";
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  RunningGate gate({.tls = self_signed()});
  GateClient viewer(gate.port(), {.tls = true});
  EXPECT_EQ(viewer.read(), "full");
  const long before = resident_kib();
  asio::io_context context;
  const auto flood = half_open(context, gate.port(), 1000, client_hello());
  const auto start = Clock::now();
  EXPECT_EQ(outcome(gate.port(), {.tls = true}), "full");
  const auto took = Clock::now() - start;
  EXPECT_LT(took, 8s) << "each of the thousand costs the server a signature";
  EXPECT_LE(gate.handshakes(), Handshakes::Limits{}.group);
  EXPECT_TRUE(eventually([&] { return gate.viewers() == 1; })) << "the one that was there before";
  const long growth = resident_kib() - before;
  RecordProperty("growth_kib", static_cast<int>(growth));
  RecordProperty("latecomer_ms",
                 static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
#ifndef __SANITIZE_ADDRESS__
  EXPECT_LT(growth, 32 * 1024);
#endif
}

}  // namespace
}  // namespace latentdesk
