#include "tests/beast_client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

// The server as a process: what begins and ends with it, as in a container.

namespace latentdesk {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = 20s;

std::string read_file(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <typename Condition>
bool becomes_true(const Condition& condition) {
  const auto deadline = Clock::now() + kPatience;
  while (!condition() && Clock::now() < deadline) std::this_thread::sleep_for(10ms);
  return condition();
}

/// A program whose output goes to a file; asked to end with this object.
class Process {
 public:
  Process(std::vector<std::string> arguments, const fs::path& output) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    for (const int fd : {1, 2})
      posix_spawn_file_actions_addopen(&files, fd, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const int error = posix_spawnp(&pid_, pointers[0], &files, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (error) throw std::runtime_error("cannot start " + arguments[0]);
  }
  ~Process() {
    if (pid_ > 0) end(SIGTERM);  // what a killed server has started would stay
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t id() const { return pid_; }

  /// Signals it, and waits for its end; gives waitpid's status.
  int end(int signal) {
    int status = 0;
    kill(pid_, signal);
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

class Lifetime : public testing::Test {
 protected:
  Lifetime() { fs::create_directories(folder_); }
  ~Lifetime() override { fs::remove_all(folder_); }

  /// On a display of its own with this shell script as the desktop's program, which is to write its id to
  /// $PID.
  std::unique_ptr<Process> start_server(const std::string& script,
                                        const std::vector<std::string>& options = {}) {
    setenv("PID", (folder_ / "pid").c_str(), 1);
    std::vector<std::string> arguments = {std::string(LATENTDESK_BIN_DIR) + "/latentdesk-server",
                                          "--model",
                                          std::string(LATENTDESK_MODELS_DIR) + "/latentdesk-lite.safetensors",
                                          "--device",
                                          "cpu",
                                          "--listen",
                                          "127.0.0.1:0",
                                          "--start-display",
                                          "320x240"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {"--", "sh", "-c", script});
    auto server = std::make_unique<Process>(std::move(arguments), folder_ / "log");
    EXPECT_TRUE(becomes_true([this] { return port() != 0; })) << log();
    return server;
  }

  std::string log() const { return read_file(folder_ / "log"); }

  /// From the log: what the expression's first group matches; empty while it does not.
  std::string logged(const std::string& expression) const {
    std::smatch match;
    const std::string text = log();
    return std::regex_search(text, match, std::regex(expression)) ? match[1].str() : "";
  }
  uint16_t port() const {
    const std::string digits = logged("listening on 127.0.0.1:([0-9]+)\n");
    return digits.empty() ? 0 : static_cast<uint16_t>(std::stoi(digits));
  }

  pid_t program() const {
    pid_t pid = 0;
    becomes_true([&] { return static_cast<bool>(std::ifstream(folder_ / "pid") >> pid); });
    return pid;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("lifetime-" + std::to_string(getpid()));
};

constexpr const char* kRest = "echo $$ > $PID; while :; do sleep 1; done";

TEST_F(Lifetime, EndsWithinTwoSecondsWithAllThatItStarted) {
  auto server = start_server(std::string("trap '' TERM; ") + kRest);
  const pid_t stubborn = program();
  ASSERT_GT(stubborn, 0);
  const fs::path socket = "/tmp/.X11-unix/X" + logged("started X display :([0-9]+)");
  ASSERT_TRUE(fs::exists(socket)) << socket;
  const auto start = Clock::now();
  const int status = server->end(SIGTERM);
  EXPECT_LT(Clock::now() - start, 2s);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status << "\n" << log();
  EXPECT_TRUE(becomes_true([&] { return kill(stubborn, 0) != 0; }));
  EXPECT_FALSE(fs::exists(socket)) << socket;
}

TEST_F(Lifetime, GoesOnWhenTheProgramIsKilled) {
  const auto server = start_server(kRest);
  const pid_t victim = program();
  ASSERT_GT(victim, 0);
  kill(victim, SIGKILL);
  EXPECT_TRUE(becomes_true([this] {
    return !logged("(sh was ended by signal Killed; the display stays)").empty();
  })) << log();
  BeastClient viewer(port());
  EXPECT_EQ(viewer.read_header().original, (Size{320, 240}));
}

TEST_F(Lifetime, BeginsWithTheAddressAtWhichViewersReachIt) {
  const auto server = start_server(kRest, {"--token-auto", "--public-address", "gpu-box:9000"});
  EXPECT_TRUE(becomes_true([this] { return !logged("(http://gpu-box:9000/#token=[0-9a-f]{32})\n").empty(); }))
      << log();
}

/// What a killed X server leaves behind on the number that the next one takes: its socket, and its lock with
/// the id of its process, which may be another's by now. Xvfb itself writes none when it chooses its number;
/// others do.
class StaleLock {
 public:
  explicit StaleLock(pid_t owner) {
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const int passed = dup(ready[1]);
    Process server({"Xvfb", "-displayfd", std::to_string(passed), "-screen", "0", "64x64x24"}, "/dev/null");
    close(passed);
    close(ready[1]);
    std::string number;
    char c = 0;
    while (read(ready[0], &c, 1) == 1 && c != '\n') number += c;
    close(ready[0]);
    server.end(SIGKILL);
    path_ = "/tmp/.X" + number + "-lock";
    std::FILE* file = std::fopen(path_.c_str(), "wx");
    if (!file) throw std::runtime_error("there is a lock already: " + path_);
    std::fprintf(file, "%10d\n", owner);
    std::fclose(file);
  }
  ~StaleLock() { unlink(path_.c_str()); }
  StaleLock(const StaleLock&) = delete;
  StaleLock& operator=(const StaleLock&) = delete;

 private:
  std::string path_;
};

TEST_F(Lifetime, StartsWhereAKilledXServerLeftItsLock) {
  Process ended({"true"}, "/dev/null");
  const pid_t owner = ended.id();
  ended.end(SIGKILL);
  const StaleLock lock(owner);
  start_server(kRest);
}

TEST_F(Lifetime, StartsWhereTheLockNamesAProcessThatLivesByNow) {
  const StaleLock lock(getpid());
  start_server(kRest);
}

}  // namespace
}  // namespace latentdesk
