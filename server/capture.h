#pragma once

#include "common/clock.h"
#include "common/image.h"

#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace latentdesk {

/// The source of pictures is gone or has changed its size: open it anew.
class CaptureLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct CursorPicture;

/// Memory that a capture fills without a further copy. Read from any one thread at a time.
class FrameBuffer {
 public:
  virtual ~FrameBuffer() = default;
  virtual MutableImageView view() = 0;
};

/// A few buffers of one capture that go round between the threads.
class FramePool {
 public:
  /// `pins` keep the buffers registered with a GPU, and are released before the buffers are.
  explicit FramePool(std::vector<std::unique_ptr<FrameBuffer>> buffers,
                     std::vector<std::shared_ptr<void>> pins = {})
      : free_(std::move(buffers)), pins_(std::move(pins)) {}

  /// Nothing when all are out.
  std::unique_ptr<FrameBuffer> take();
  void give(std::unique_ptr<FrameBuffer> buffer);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<FrameBuffer>> free_;
  std::vector<std::shared_ptr<void>> pins_;  // after the buffers, so destroyed before them
};

/// A captured picture. Gives its buffer back when it is destroyed, on any thread.
class Frame {
 public:
  Frame(std::shared_ptr<FramePool> pool, std::unique_ptr<FrameBuffer> buffer)
      : pool_(std::move(pool)), buffer_(std::move(buffer)) {}
  ~Frame() {
    if (buffer_) pool_->give(std::move(buffer_));
  }
  Frame(Frame&&) = default;
  Frame& operator=(Frame&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(buffer_, other.buffer_);
    timestamp = other.timestamp;
    cursor = std::move(other.cursor);
    return *this;
  }

  MutableImageView view() const { return buffer_->view(); }

  double timestamp = 0;                         ///< capture time, seconds since the epoch
  std::shared_ptr<const CursorPicture> cursor;  ///< is not in the picture; null where it is not wanted

 private:
  std::shared_ptr<FramePool> pool_;
  std::unique_ptr<FrameBuffer> buffer_;
};

/// One frame is being captured, one waits, one is being encoded.
inline constexpr int kFramesInFlight = 3;

/// A source of pictures of one size. Every method is called from the capture thread.
class Capture {
 public:
  virtual ~Capture() = default;

  /// For the log: what is captured, and how.
  virtual std::string description() const = 0;
  virtual Size size() const = 0;
  virtual std::vector<std::unique_ptr<FrameBuffer>> make_buffers(int count) = 0;

  /// Whether the pointer is wanted, and its changes count as changes of the picture. At first it is not.
  virtual void watch_cursor(bool) {}
  /// The pointer as it is now; null when it is not wanted, or there is none.
  virtual std::shared_ptr<const CursorPicture> cursor() { return nullptr; }

  /// Blocks until the picture may have changed (true), or `wake_fd` is readable or `deadline` has come
  /// (false). Throws CaptureLost.
  virtual bool wait(int wake_fd, std::optional<SteadyTime> deadline) = 0;

  /// Fills a buffer of `make_buffers` with the picture as it is now. Throws CaptureLost.
  virtual void grab(FrameBuffer& buffer) = 0;
};

/// Waits for two file descriptors, of which the first may be -1. True when the first is readable.
bool wait_readable(int fd, int wake_fd, std::optional<SteadyTime> deadline);

}  // namespace latentdesk
