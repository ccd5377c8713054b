#pragma once

#include "common/stream/messages.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace latentdesk {

/// How far the canvas has come, which the decode thread knows and the network thread tells the server when
/// the viewer comes back after a lost connection. What is told must stay true: from then on no message of an
/// earlier connection is applied.
class ResumePoint {
 public:
  /// Network thread: what to go on with over `connection`; waits while a message is being applied.
  std::optional<Resumption> take(uint64_t connection) {
    std::lock_guard lock(mutex_);
    oldest_connection_ = connection;
    const bool possible = is_whole_ && !session_.empty();
    return possible ? std::optional(Resumption{session_, updates_}) : std::nullopt;
  }

  // Decode thread, while it holds the lock:

  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  bool is_too_late(uint64_t connection) const { return connection < oldest_connection_; }

  /// The server has said hello.
  void begin(std::string session, bool resumed) {
    session_ = std::move(session);
    is_whole_ = is_whole_ && resumed;
    updates_ = 0;
  }
  /// There is a canvas that updates can be applied to.
  void set_whole(bool whole) { is_whole_ = whole; }
  bool is_whole() const { return is_whole_; }
  /// Returns how many that makes over this connection.
  uint64_t count_update() { return ++updates_; }

 private:
  std::mutex mutex_;
  uint64_t oldest_connection_ = 0;
  std::string session_;  ///< of the server's last hello; empty: none
  bool is_whole_ = false;
  uint64_t updates_ = 0;
};

}  // namespace latentdesk
