#pragma once

#include "client/baseline.h"
#include "client/connection.h"
#include "client/picture.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace latentdesk {

/// What the decode thread reports, on that thread.
struct DecodeEvents {
  std::function<void(Picture)> on_picture;
  std::function<void(uint64_t connection, const std::string& reason)> on_protocol_error;
  std::function<void(std::exception_ptr)> on_failure;  ///< once: an error of our own ended the loop
};

/// Takes messages off the queue and decodes them, on a thread of its own. Of several that wait only the
/// newest is decoded, since each is a whole picture: a viewer that is slower than its server so shows fewer
/// pictures, not older ones. After a protocol error what is left of that connection's messages is discarded.
class DecodeLoop {
 public:
  /// Starts the decode thread, which ends after `max_frames` good frames, or when the queue is closed.
  /// Without `skip_stale` every message is handled.
  DecodeLoop(MessageQueue& messages, std::unique_ptr<BaselineDecoder> decoder,
             std::optional<uint64_t> max_frames, bool skip_stale, DecodeEvents events);
  /// As join().
  ~DecodeLoop();
  DecodeLoop(const DecodeLoop&) = delete;
  DecodeLoop& operator=(const DecodeLoop&) = delete;

  /// Waits until the decode thread has ended: close the queue first. Owner's thread.
  void join();

  /// Messages that were never decoded, since a newer one waited. Any thread.
  uint64_t skipped() const { return skipped_; }

 private:
  void run();
  void take_newest(Message& message);
  void handle(const Message& message);

  MessageQueue& messages_;
  const std::unique_ptr<BaselineDecoder> decoder_;
  const std::optional<uint64_t> max_frames_;
  const bool skip_stale_;
  const DecodeEvents events_;
  std::atomic<uint64_t> skipped_ = 0;
  uint64_t frames_ = 0;
  uint64_t refused_connection_ = 0;
  std::thread thread_;
};

}  // namespace latentdesk
