#include "server/synthetic_capture.h"

#include "common/raw_video.h"

#include <cstring>

namespace latentdesk {

namespace {

class HeapBuffer : public FrameBuffer {
 public:
  explicit HeapBuffer(Size size) : image_(size) {}
  MutableImageView view() override { return image_.view(); }

 private:
  Image image_;
};

/// Changes at a fixed rate, whether or not anybody looks.
class ClockedCapture : public Capture {
 public:
  ClockedCapture(Size size, double fps)
      : size_(size),
        period_(std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(1 / fps))) {}

  Size size() const override { return size_; }

  std::vector<std::unique_ptr<FrameBuffer>> make_buffers(int count) override {
    std::vector<std::unique_ptr<FrameBuffer>> buffers;
    buffers.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) buffers.push_back(std::make_unique<HeapBuffer>(size_));
    return buffers;
  }

  bool wait(int wake_fd, std::optional<SteadyTime> deadline) override {
    const bool frame_comes_first = !ended_ && (!deadline || next_ <= *deadline);
    wait_readable(-1, wake_fd, frame_comes_first ? std::optional(next_) : deadline);
    const auto now = SteadyClock::now();
    if (ended_ || now < next_) return false;
    while (next_ <= now) {
      next_ += period_;
      ++frame_;
    }
    return true;
  }

 protected:
  uint64_t frame() const { return frame_; }
  void end() { ended_ = true; }

 private:
  Size size_;
  SteadyClock::duration period_;
  SteadyTime next_ = SteadyClock::now() + period_;  ///< the first frame is there from the start
  uint64_t frame_ = 0;
  bool ended_ = false;
};

class RawCapture : public ClockedCapture {
 public:
  RawCapture(const std::string& path, Size size, double fps, bool loop)
      : ClockedCapture(size, fps), path_(path), video_(path, size), loop_(loop) {}

  std::string description() const override { return "recording " + path_; }

  void grab(FrameBuffer& buffer) override {
    const MutableImageView image = buffer.view();
    if (video_.read(image)) {
      ++played_;
    } else if (loop_) {
      video_.rewind();
      video_.read(image);
      played_ = 1;
    }
    if (played_ == video_.frames() && !loop_) end();
  }

 private:
  std::string path_;
  RawVideo video_;
  bool loop_;
  uint64_t played_ = 0;
};

class PatternCapture : public ClockedCapture {
 public:
  using ClockedCapture::ClockedCapture;

  std::string description() const override { return "test pattern"; }

  void grab(FrameBuffer& buffer) override {
    const MutableImageView image = buffer.view();
    for (int y = 0; y < image.size.height; ++y) {
      for (int x = 0; x < image.size.width; ++x) {
        const uint32_t colour = pixel(x, y, image.size);
        std::memcpy(image.row(y) + x * kBytesPerPixel, &colour, sizeof colour);
      }
    }
  }

 private:
  uint32_t pixel(int x, int y, Size size) const {
    constexpr uint32_t kBars[] = {0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
                                  0xff00ff, 0xff0000, 0x0000ff, 0x000000};
    constexpr int kStep = 8;
    const int moving = static_cast<int>(frame() * kStep % static_cast<uint64_t>(size.width));
    if (x >= moving && x < moving + kStep) return 0xffa000;
    if (y < size.height / 2) return kBars[static_cast<size_t>(x) * 8 / static_cast<size_t>(size.width)];
    if (y < size.height * 3 / 4) return 0x010101u * static_cast<uint32_t>(x * 255 / size.width);
    return (x / 2 + y / 2) % 2 ? 0x202020 : 0xe0e0e0;
  }
};

}  // namespace

std::unique_ptr<Capture> open_raw_capture(const std::string& path, Size size, double fps, bool loop) {
  return std::make_unique<RawCapture>(path, size, fps, loop);
}

std::unique_ptr<Capture> open_pattern_capture(Size size, double fps) {
  return std::make_unique<PatternCapture>(size, fps);
}

}  // namespace latentdesk
