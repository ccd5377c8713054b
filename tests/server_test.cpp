#include "server/server.h"

#include "tests/beast_client.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

// The whole server with its codec in this process, and the shipped programs against each other.

namespace latentdesk {
namespace {

ServerOptions pattern_options() {
  ServerOptions options;
  options.source = "pattern";
  options.size = {320, 200};
  options.listen = "127.0.0.1:0";
  options.quality = 70;
  options.model = std::string(LATENTDESK_MODELS_DIR) + "/latentdesk-lite.safetensors";
  options.codec.device = Device::cpu;
  return options;
}

class RunningServer {
 public:
  explicit RunningServer(const ServerOptions& options)
      : server_(options), thread_([this] { server_.run(); }) {}
  ~RunningServer() {
    server_.stop();
    thread_.join();
  }
  uint16_t port() const { return server_.endpoint().port(); }

 private:
  Server server_;
  std::thread thread_;
};

TEST(Server, StreamsFramesOfItsSource) {
  RunningServer server(pattern_options());
  BeastClient client(server.port());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.read_header().original, (Size{320, 200}));
}

TEST(Server, StartsItsOwnDisplayAndProgram) {
  ServerOptions options = pattern_options();
  options.source = "x11";
  options.start_display = {320, 240};
  options.command = {"sleep", "1000"};
  RunningServer server(options);
  BeastClient client(server.port());
  EXPECT_EQ(client.read_header().original, (Size{320, 240}));
}

TEST(Server, SurvivesItsDisplayAndFindsItAgain) {
  auto first = std::make_unique<VirtualDisplay>(Size{320, 240});
  const std::string name = first->name();
  setenv("XAUTHORITY", first->authority_file().c_str(), 1);
  ServerOptions options = pattern_options();
  options.source = "x11";
  options.display = name;
  std::unique_ptr<ChildProcess>
      second;  // outlives the server: Xlib ends who is just connecting when a display goes
  RunningServer server(options);
  BeastClient client(server.port());
  EXPECT_EQ(client.read_header().original, (Size{320, 240}));

  first.reset();
  const std::vector<std::string> command{"Xvfb", name, "-screen", "0", "400x300x24"};
  second = std::make_unique<ChildProcess>(command, std::vector<std::string>{});
  Size size{320, 240};
  for (int i = 0; i < 20 && size.width == 320; ++i) size = client.read_header().original;
  EXPECT_EQ(size, (Size{400, 300}));
}

TEST(Server, BeyondLoopbackNeedsEncryptionAndATokenUnlessInsecure) {
  setenv("XDG_STATE_HOME", (testing::TempDir() + "server-test-state-" + std::to_string(getpid())).c_str(), 1);
  ServerOptions options = pattern_options();
  options.listen = "0.0.0.0:0";
  EXPECT_THROW(Server server(options), std::runtime_error);
  options.token = "correct-horse-battery";
  EXPECT_THROW(Server server(options), std::runtime_error);
  options.tls_self_signed = true;
  EXPECT_NO_THROW(Server server(options));
  options.token = "";
  EXPECT_THROW(Server server(options), std::runtime_error);
  options.tls_self_signed = false;
  options.insecure = true;
  EXPECT_NO_THROW(Server server(options));
}

TEST(Server, MissingModelAndDisplayAreClearErrors) {
  ServerOptions options = pattern_options();
  options.model = "/nowhere/model.safetensors";
  EXPECT_THROW(Server server(options), std::runtime_error);

  options = pattern_options();
  options.source = "x11";
  options.display = ":9999";
  EXPECT_THROW(Server server(options), std::runtime_error);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int run(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const std::string kBin = LATENTDESK_BIN_DIR;
const std::string kScratch = testing::TempDir() + "server-test-" + std::to_string(getpid()) + "-";

TEST(Programs, ViewerShowsWhatTheServerCaptures) {
  RunningServer server(pattern_options());
  const std::string screenshot = kScratch + "pattern.png", stats = kScratch + "stats.json";
  ASSERT_EQ(run(kBin + "/latentdesk-viewer --headless --frames 20 --seconds 60 --device cpu --screenshot " +
                screenshot + " --stats-json " + stats + " ws://127.0.0.1:" + std::to_string(server.port()) +
                " > /dev/null 2>&1"),
            0);
  EXPECT_EQ(read_file(screenshot).substr(1, 3), "PNG");
  EXPECT_NE(read_file(stats).find("\"frames\": 20"), std::string::npos) << read_file(stats);
}

/// The programs over TLS, with a state of their own on each side.
class EncryptedPrograms : public testing::Test {
 protected:
  EncryptedPrograms() {
    std::filesystem::remove_all(folder_);
    setenv("XDG_STATE_HOME", folder_.c_str(), 1);
    options_.tls_self_signed = true;
    options_.token = "correct-horse-battery";
  }
  ~EncryptedPrograms() override { std::filesystem::remove_all(folder_); }

  /// The viewer's exit status; its log is in log().
  int view(uint16_t port, const std::string& arguments = "", const std::string& server = "wss://127.0.0.1",
           const std::string& environment = "") const {
    return run(environment + " XDG_DATA_HOME=" + folder_ + "/viewer timeout 30 " + kBin +
               "/latentdesk-viewer --headless --no-decode --frames 2 --seconds 20 " + arguments + " " +
               server + ":" + std::to_string(port) + " > /dev/null 2> " + folder_ + "/log");
  }
  std::string log() const { return read_file(folder_ + "/log"); }
  std::string fingerprint() const { return to_string(open_tls(options_).fingerprint); }

  const std::string folder_ = kScratch + "encrypted-programs";
  ServerOptions options_ = pattern_options();
};

TEST_F(EncryptedPrograms, PinACertificateAtFirstUse) {
  uint16_t port = 0;
  {
    RunningServer server(options_);
    port = server.port();
    ASSERT_EQ(view(port), 0) << log();
    EXPECT_NE(log().find(fingerprint()), std::string::npos) << log();
    ASSERT_EQ(view(port), 0) << log();
    EXPECT_EQ(log().find("first connection"), std::string::npos) << log();
  }
  std::filesystem::remove_all(folder_ + "/latentdesk");
  options_.listen = "127.0.0.1:" + std::to_string(port);
  RunningServer another(options_);
  EXPECT_EQ(view(port), 1);
  EXPECT_NE(log().find("not the one of before"), std::string::npos) << log();
  EXPECT_NE(log().find("known_servers"), std::string::npos) << log();
  EXPECT_EQ(view(port, "--fingerprint " + fingerprint()), 0) << log();
}

TEST_F(EncryptedPrograms, TakeOnlyADemandedCertificate) {
  RunningServer server(options_);
  EXPECT_EQ(view(server.port(), "--fingerprint " + fingerprint()), 0) << log();
  EXPECT_EQ(view(server.port(), "--fingerprint " + std::string(64, '0')), 1);
  EXPECT_NE(log().find("not the one demanded"), std::string::npos) << log();
}

TEST_F(EncryptedPrograms, AnAuthoritysWordHoldsForTheNamesInTheCertificateOnly) {
  options_.listen = "0.0.0.0:0";
  RunningServer server(options_);
  const std::string trusted = "SSL_CERT_FILE=" + folder_ + "/latentdesk/self-signed.pem";
  for (const char* named : {"wss://127.0.0.1", "wss://localhost"}) {
    EXPECT_EQ(view(server.port(), "", named, trusted), 0) << log();
    EXPECT_EQ(log().find("first connection"), std::string::npos) << log();
  }
  EXPECT_EQ(view(server.port(), "", "wss://127.0.0.2", trusted), 0) << log();
  EXPECT_NE(log().find("mismatch"), std::string::npos) << log();
}

TEST_F(EncryptedPrograms, WrongTokenEndsTheViewer) {
  RunningServer server(options_);
  setenv("LATENTDESK_TOKEN", "wrong", 1);
  EXPECT_EQ(view(server.port()), 1);
  EXPECT_NE(log().find("the token is wrong"), std::string::npos) << log();
  EXPECT_EQ(log().find("trying again"), std::string::npos) << log();
  setenv("LATENTDESK_TOKEN", options_.token.c_str(), 1);
  EXPECT_EQ(view(server.port()), 0) << log();
  unsetenv("LATENTDESK_TOKEN");
}

TEST_F(EncryptedPrograms, ClearTextToATlsServerSaysWhatToDo) {
  RunningServer server(options_);
  EXPECT_EQ(view(server.port(), "", "ws://127.0.0.1"), 1);
  EXPECT_NE(log().find("wss://"), std::string::npos) << log();
}

TEST(Programs, SayWhatIsWrong) {
  const std::string log = kScratch + "error.log";
  const auto complaint = [&](const std::string& arguments) {
    EXPECT_EQ(run(kBin + "/latentdesk-server " + arguments + " > /dev/null 2> " + log), 1) << arguments;
    return read_file(log);
  };
  EXPECT_NE(complaint("--device cuda --source pattern --listen 127.0.0.1:0").find("--device cuda"),
            std::string::npos);
  EXPECT_NE(complaint("--source raw:/nowhere.bgr0 --listen 127.0.0.1:0").find("/nowhere.bgr0"),
            std::string::npos);
  EXPECT_NE(complaint("--display :9999 --listen 127.0.0.1:0").find("cannot open X display ':9999'"),
            std::string::npos);
  EXPECT_NE(complaint("--source pattern --listen 0.0.0.0:0").find("--insecure"), std::string::npos);
}

}  // namespace
}  // namespace latentdesk
