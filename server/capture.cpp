#include "server/capture.h"

#include <algorithm>
#include <poll.h>

namespace latentdesk {

std::unique_ptr<FrameBuffer> FramePool::take() {
  std::lock_guard lock(mutex_);
  if (free_.empty()) return nullptr;
  auto buffer = std::move(free_.back());
  free_.pop_back();
  return buffer;
}

void FramePool::give(std::unique_ptr<FrameBuffer> buffer) {
  std::lock_guard lock(mutex_);
  free_.push_back(std::move(buffer));
}

bool wait_readable(int fd, int wake_fd, std::optional<SteadyTime> deadline) {
  pollfd fds[] = {{fd, POLLIN, 0}, {wake_fd, POLLIN, 0}};
  timespec timeout{};
  if (deadline) {
    const auto left = std::max(*deadline - SteadyClock::now(), SteadyClock::duration::zero());
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    timeout = {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  }
  return ppoll(fds, 2, deadline ? &timeout : nullptr, nullptr) > 0 && fds[0].revents != 0;
}

}  // namespace latentdesk
