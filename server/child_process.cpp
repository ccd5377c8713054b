#include "server/child_process.h"

#include <chrono>
#include <csignal>
#include <cstring>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace latentdesk {

namespace {

// With the moment that viewers get it must leave something of the two seconds after which the server has
// ended.
constexpr auto kGrace = std::chrono::milliseconds(1000);
constexpr auto kPollPeriod = std::chrono::milliseconds(10);

std::vector<std::string> merged_environment(const std::vector<std::string>& changes) {
  std::vector<std::string> merged = changes;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& change : changes) replaced |= change.starts_with(name);
    if (!replaced) merged.push_back(text);
  }
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return std::string("was ended by signal ") + strsignal(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment, int passed_fd)
    : name_(arguments.front()) {
  std::vector<std::string> argument_texts = arguments;
  std::vector<std::string> environment_texts = merged_environment(environment);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A session of its own, so that what it starts can be ended with it; and none of our blocked signals.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (passed_fd >= 0) posix_spawn_file_actions_adddup2(&files, passed_fd, kPassedFd);
  posix_spawn_file_actions_addclosefrom_np(&files, passed_fd >= 0 ? kPassedFd + 1 : kPassedFd);
  const int error = posix_spawnp(&pid_, name_.c_str(), &files, &attributes, pointers(argument_texts).data(),
                                 pointers(environment_texts).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error) throw std::runtime_error("cannot start " + name_ + ": " + std::strerror(error));
}

ChildProcess::~ChildProcess() {
  ask_to_end();
  while (!has_ended() && std::chrono::steady_clock::now() < *asked_ + kGrace)
    std::this_thread::sleep_for(kPollPeriod);
  signal_group(SIGKILL);  // also what the program left behind
  if (exit_description_.empty()) waitpid(pid_, nullptr, 0);
}

void ChildProcess::ask_to_end() {
  if (asked_) return;
  asked_ = std::chrono::steady_clock::now();
  signal_group(SIGTERM);
}

bool ChildProcess::has_ended() {
  int status = 0;
  if (exit_description_.empty() && waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_description_ = name_ + " " + describe(status);
  }
  return !exit_description_.empty();
}

void ChildProcess::signal_group(int signal) const { kill(-pid_, signal); }

}  // namespace latentdesk
