#include "server/static_files.h"
#include "tests/running_gate.h"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

// Connections that are slow, silent, or too many.

namespace latentdesk {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

using Clock = std::chrono::steady_clock;

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
