#pragma once

namespace latentdesk {

/// A file descriptor that any thread makes readable, for a thread that waits in poll().
class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  int fd() const { return fd_; }
  void signal();
  /// From the waiting thread: makes it unreadable again.
  void clear();

 private:
  int fd_;
};

}  // namespace latentdesk
