#pragma once

#include "client/baseline.h"
#include "client/connection.h"
#include "client/decode_loop.h"
#include "client/desk_news.h"
#include "client/resume_point.h"
#include "client/viewer_stats.h"
#include "common/latest.h"

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace latentdesk {

struct StreamConfig {
  ServerUrl url;
  std::string token;
  TrustConfig trust = {};
  LatentSpace space;
  std::unique_ptr<Decoder> decoder;              ///< null: frames are only counted
  std::unique_ptr<Decoder> stream_decoder = {};  ///< of latentdesk.2; as `decoder`
  bool baseline = false;                         ///< speak the baseline alone
  bool view_only = false;                        ///< say that no control will be asked for
  std::optional<uint64_t> max_frames = {};
  std::function<void()> on_change =
      {};  ///< wakes the main thread, from any thread, and does nothing else:
           ///< there is a picture, news, another status, or the end; may be empty
};

/// A server's stream of pictures: the network thread, the decode thread, and what they hand on.
class Stream {
 public:
  /// Starts both threads.
  explicit Stream(StreamConfig config);
  /// Joins both threads.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Pictures for the main thread; closed when the stream has ended.
  Latest<Picture>& pictures() { return pictures_; }

  /// Any thread.
  ConnectionStatus status() const { return connection_.status(); }
  ViewerStats& stats() { return stats_; }
  const ViewerStats& stats() const { return stats_; }
  /// Pictures that came and were never shown, since a newer one came first.
  uint64_t dropped() const;
  RunSummary summary() const;
  bool has_ended() const { return ended_; }
  /// Whether no frame comes after this one, since max_frames came.
  bool is_last(const FrameInfo& frame) const { return max_frames_ == frame.number; }

  /// What the server told of the desktop. Main thread.
  DeskNews take_news() { return news_.take(); }
  /// Over a connection that news came over, unless it is gone. Any thread.
  void send(uint64_t connection, const ViewerMessage& message);

  /// Any thread: makes the main thread stop taking pictures.
  void end();

  /// Main thread: joins both threads, and rethrows the error that ended one of them.
  void stop();

 private:
  using Greeting = std::function<std::string(uint64_t connection)>;
  Greeting greeting(const std::string& token, bool view_only);
  void deliver(Picture picture);
  void refuse(uint64_t connection, const std::string& reason);
  void fail(std::exception_ptr failure);

  const std::function<void()> on_change_;
  const bool decodes_;
  const std::optional<uint64_t> max_frames_;
  std::atomic<bool> ended_ = false;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;

  // Pools before what holds their objects, threads last.
  Pool<Bytes> buffers_;
  Pool<Image> images_;
  MessageQueue messages_;
  Latest<Picture> pictures_;
  DeskNewsBox news_;
  ViewerStats stats_;
  ResumePoint progress_;
  Connection connection_;
  DecodeLoop decode_loop_;
};

}  // namespace latentdesk
