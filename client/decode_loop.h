#pragma once

#include "client/connection.h"
#include "client/message_decoder.h"
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

/// Takes messages off the queue and decodes them, on a thread of its own. Pictures are made of the newest
/// message that waits, so a viewer that is slower than its server shows fewer pictures, not older ones. After
/// a protocol error what is left of that connection's messages is discarded.
class DecodeLoop {
 public:
  /// Starts the decode thread, which ends after `max_frames` pictures, or when the queue is closed. Messages
  /// of latentdesk.2 go to `stream`, others to `baseline`.
  DecodeLoop(MessageQueue& messages, std::unique_ptr<MessageDecoder> baseline,
             std::unique_ptr<MessageDecoder> stream, std::optional<uint64_t> max_frames, DecodeEvents events);
  /// As join().
  ~DecodeLoop();
  DecodeLoop(const DecodeLoop&) = delete;
  DecodeLoop& operator=(const DecodeLoop&) = delete;

  /// Waits until the decode thread has ended: close the queue first. Owner's thread.
  void join();

  /// Messages that made no picture, since a newer one waited. Any thread.
  uint64_t skipped() const { return skipped_; }

 private:
  void run();
  void handle(const Message& message, bool show);

  MessageQueue& messages_;
  const std::unique_ptr<MessageDecoder> baseline_;
  const std::unique_ptr<MessageDecoder> stream_;
  const std::optional<uint64_t> max_frames_;
  const DecodeEvents events_;
  std::atomic<uint64_t> skipped_ = 0;
  uint64_t frames_ = 0;
  uint64_t refused_connection_ = 0;
  std::thread thread_;
};

}  // namespace latentdesk
