#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace latentdesk {

/// A program that we started, with all that it started in turn. Ended, by SIGTERM and then SIGKILL, with this
/// object.
class ChildProcess {
 public:
  /// Descriptor under which the program finds `passed_fd`.
  static constexpr int kPassedFd = 3;

  /// `environment` holds NAME=VALUE entries that replace ours. Of our descriptors the program gets the first
  /// three and `passed_fd`, if any: a listening socket must not live on in it. Throws std::runtime_error when
  /// it cannot be started.
  ChildProcess(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
               int passed_fd = -1);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Sends SIGTERM, once. From then on the program has a second to end before it is killed.
  void ask_to_end();

  /// True once the program has ended; `exit_description` then says how.
  bool has_ended();
  const std::string& exit_description() const { return exit_description_; }

 private:
  void signal_group(int signal) const;

  std::string name_;
  pid_t pid_ = -1;
  std::optional<std::chrono::steady_clock::time_point> asked_;  ///< to end
  std::string exit_description_;
};

}  // namespace latentdesk
