#include "server/peer.h"

#include "server/handshakes.h"
#include "server/self_signed.h"
#include "server/server_tls.h"
#include "server/token_source.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

// Whose socket it is, how many may knock at once, and the files of certificate and token.

namespace latentdesk {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// Both ends of a connection over loopback.
struct Pair {
  explicit Pair(const char* listen_on, const char* connect_to) {
    tcp::acceptor acceptor(context, {asio::ip::make_address(listen_on), 0});
    client.connect({asio::ip::make_address(connect_to), acceptor.local_endpoint().port()});
    server = acceptor.accept();
  }
  asio::io_context context;
  tcp::socket client{context}, server{context};
};

struct Addresses {
  const char* name;
  const char* listen_on;
  const char* connect_to;
};

class SocketOwner : public testing::TestWithParam<Addresses> {};

TEST_P(SocketOwner, IsWhoHoldsTheOtherEnd) {
  Pair pair(GetParam().listen_on, GetParam().connect_to);
  EXPECT_EQ(socket_owner(pair.server.remote_endpoint(), pair.server.local_endpoint()), geteuid());
  const Peer peer = identify(pair.server);
  EXPECT_TRUE(peer.loopback);
  EXPECT_TRUE(peer.own_user);
  EXPECT_EQ(peer.group, "user " + std::to_string(geteuid()));
}

INSTANTIATE_TEST_SUITE_P(Each, SocketOwner,
                         testing::Values(Addresses{"Ipv4", "127.0.0.1", "127.0.0.1"},
                                         Addresses{"Ipv6", "::1", "::1"},
                                         Addresses{"Ipv4OnASocketForBoth", "::", "127.0.0.1"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(SocketOwnerTest, BothWaysOfAskingAgree) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    Pair pair(address, address);
    const auto peer = pair.server.remote_endpoint(), local = pair.server.local_endpoint();
    EXPECT_EQ(read_proc(peer, local), geteuid()) << address;
    std::optional<uid_t> owner;
    if (!ask_netlink(peer, local, owner)) GTEST_SKIP() << "no sock_diag here";
    EXPECT_EQ(owner, geteuid()) << address;
  }
}

TEST(SocketOwnerTest, NobodyOwnsAClosedSocketNotEvenRoot) {
  // The system says that root owns what no process holds any more; what such a peer has sent is still to be
  // read.
  Pair pair("127.0.0.1", "127.0.0.1");
  const auto peer = pair.server.remote_endpoint(), local = pair.server.local_endpoint();
  asio::write(pair.client, asio::buffer("GET / HTTP/1.1\r\n", 16));
  pair.client.close();
  EXPECT_EQ(socket_owner(peer, local), std::nullopt);
  EXPECT_EQ(read_proc(peer, local), std::nullopt);
  EXPECT_FALSE(identify(pair.server).own_user);
}

TEST(SocketOwnerTest, IsCheap) {
  Pair pair("127.0.0.1", "127.0.0.1");
  const auto peer = pair.server.remote_endpoint(), local = pair.server.local_endpoint();
  constexpr int kRounds = 1000;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) socket_owner(peer, local);
  const auto each = (std::chrono::steady_clock::now() - start) / kRounds;
  RecordProperty("microseconds",
                 static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(each).count()));
  EXPECT_LT(each, 1ms);
}

TEST(HandshakesTest, TheOldestOfTheGroupMakesRoom) {
  asio::io_context context;
  Handshakes handshakes({.total = 10, .group = 2, .time = 1h});
  std::string ended;
  const auto begin = [&](const std::string& name, const std::string& group) {
    return handshakes.begin(context.get_executor(), group,
                            [&ended, name](const char*) { ended += name + " "; });
  };
  const auto a = begin("a", "x"), other = begin("other", "y"), b = begin("b", "x");
  EXPECT_EQ(ended, "");
  const auto c = begin("c", "x");
  EXPECT_EQ(ended, "a ");
  EXPECT_EQ(handshakes.size(), 3u);
  EXPECT_EQ(handshakes.evicted(), 1u);
}

TEST(HandshakesTest, TheBusiestGroupMakesRoomForOthers) {
  asio::io_context context;
  Handshakes handshakes({.total = 4, .group = 4, .time = 1h});
  std::string ended;
  const auto begin = [&](const std::string& name, const std::string& group) {
    return handshakes.begin(context.get_executor(), group,
                            [&ended, name](const char*) { ended += name + " "; });
  };
  const auto first = begin("first", "y"), a = begin("a", "x"), b = begin("b", "x"), c = begin("c", "x");
  const auto late = begin("late", "z");
  EXPECT_EQ(ended, "a ");
}

TEST(HandshakesTest, TimeIsUpOnceAndNotAfterTheEnd) {
  asio::io_context context;
  Handshakes handshakes({.total = 10, .group = 10, .time = 20ms});
  int late = 0;
  const auto count = [&late](const char*) { ++late; };
  const auto stays = handshakes.begin(context.get_executor(), "x", count);
  auto done = handshakes.begin(context.get_executor(), "x", count);
  done.reset();
  context.run();
  EXPECT_EQ(late, 1);
  EXPECT_EQ(handshakes.size(), 0u);
}

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::filesystem::remove_all(folder_);
    setenv("XDG_STATE_HOME", folder_.c_str(), 1);
  }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

  static mode_t mode(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
  }

  const std::string folder_ = testing::TempDir() + "files-test-" + std::to_string(getpid());
};

TEST_F(FilesTest, ASelfSignedPairIsOursAloneAndStays) {
  ServerOptions options;
  options.tls_self_signed = true;
  const Sha256 first = open_tls(options).fingerprint;
  EXPECT_EQ(mode(state_folder()), 0700u);
  EXPECT_EQ(mode(state_folder() + "/self-signed.pem"), 0600u);
  EXPECT_EQ(open_tls(options).fingerprint, first) << "who has pinned it must find it again";
  size_t files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(state_folder())) ++files;
  EXPECT_EQ(files, 1u) << "the draft is gone";
}

TEST_F(FilesTest, AKeyThatOthersMayReadIsRefused) {
  ServerOptions options;
  options.tls_self_signed = true;
  open_tls(options);
  chmod((state_folder() + "/self-signed.pem").c_str(), 0644);
  EXPECT_THROW(open_tls(options), std::runtime_error);
}

TEST_F(FilesTest, AnotherKeyThanTheCertificatesIsRefused) {
  const std::string a = ensure_self_signed(folder_ + "/a"), b = ensure_self_signed(folder_ + "/b");
  ServerOptions options;
  options.tls_cert = a;
  options.tls_key = a;
  EXPECT_NO_THROW(open_tls(options));
  options.tls_key = b;
  EXPECT_THROW(open_tls(options), std::runtime_error);
  options.tls_cert = "/nowhere";
  EXPECT_THROW(open_tls(options), std::runtime_error);
}

TEST_F(FilesTest, TokensComeFromAFilesFirstLine) {
  std::filesystem::create_directories(folder_);
  const std::string path = folder_ + "/token";
  std::ofstream(path) << "  secret \r\nsecond line\n";
  EXPECT_EQ(read_token_file(path), "secret");
  std::ofstream(path) << "\n";
  EXPECT_THROW(read_token_file(path), std::runtime_error);
  EXPECT_THROW(read_token_file(folder_ + "/none"), std::runtime_error);
}

TEST(TokenSource, AVariableIsNotInherited) {
  setenv("LATENTDESK_TOKEN", "secret", 1);
  EXPECT_EQ(take_token_variable("LATENTDESK_TOKEN"), "secret");
  EXPECT_EQ(getenv("LATENTDESK_TOKEN"), nullptr);
  EXPECT_EQ(take_token_variable("LATENTDESK_TOKEN"), "");
}

TEST(TokenSource, RandomTokensDiffer) {
  EXPECT_EQ(random_token().size(), 32u);
  EXPECT_NE(random_token(), random_token());
}

TEST(Fingerprint, IsReadInAnyForm) {
  const Sha256 digest = sha256("abc");
  EXPECT_TRUE(to_string(digest).starts_with("BA:78:16:BF:8F:01:CF:EA:41:41:40:DE"));
  EXPECT_EQ(parse_fingerprint(to_string(digest)), digest);
  EXPECT_EQ(parse_fingerprint("SHA256:" + to_string(digest)), digest);
  EXPECT_EQ(parse_fingerprint("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), digest);
  for (const char* bad :
       {"", "SHA256:", "ba", "zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad00"})
    EXPECT_EQ(parse_fingerprint(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace latentdesk
