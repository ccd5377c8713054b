#include "server/x11_buffers.h"

#include <new>
#include <sys/ipc.h>
#include <sys/shm.h>

#include <X11/Xutil.h>
#include <X11/extensions/XShm.h>

namespace latentdesk {

namespace {

struct DestroyImage {
  void operator()(XImage* image) const {
    image->data = nullptr;  // owned by the buffer
    XDestroyImage(image);
  }
};
using ImageHandle = std::unique_ptr<XImage, DestroyImage>;

Visual* visual(Display* display) { return DefaultVisual(display, DefaultScreen(display)); }
unsigned depth(Display* display) {
  return static_cast<unsigned>(DefaultDepth(display, DefaultScreen(display)));
}

/// System V shared memory; its identifier is given up at once when both sides are attached, so nothing
/// outlives a crash.
class SharedMemory {
 public:
  explicit SharedMemory(size_t bytes) : id_(shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600)) {
    if (id_ >= 0) address_ = shmat(id_, nullptr, 0);
  }
  ~SharedMemory() {
    if (valid()) shmdt(address_);
    remove();
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  bool valid() const { return id_ >= 0 && address_ != kFailed; }
  int id() const { return id_; }
  char* address() const { return static_cast<char*>(address_); }
  void remove() {
    if (id_ >= 0) shmctl(id_, IPC_RMID, nullptr);
  }

 private:
  static inline void* const kFailed = reinterpret_cast<void*>(-1);  // NOLINT: shmat's own value
  int id_;
  void* address_ = kFailed;
};

class SharedBuffer : public X11Buffer {
 public:
  SharedBuffer(X11Connection& connection, Size size) : size_(size), memory_(size.pixels() * kBytesPerPixel) {
    Display* display = connection.get();
    if (!memory_.valid()) return;
    segment_.shmid = memory_.id();
    segment_.shmaddr = memory_.address();
    segment_.readOnly = False;
    image_.reset(XShmCreateImage(display, visual(display), depth(display), ZPixmap, memory_.address(),
                                 &segment_, static_cast<unsigned>(size.width),
                                 static_cast<unsigned>(size.height)));
    const bool attached = XShmAttach(display, &segment_) && connection.sync_without_error();
    memory_.remove();
    if (!attached) image_.reset();
  }

  bool valid() const { return image_ != nullptr; }

  bool fill(X11Connection& connection) override {
    return XShmGetImage(connection.get(), connection.root(), image_.get(), 0, 0, AllPlanes) != 0;
  }

  MutableImageView view() override {
    return {reinterpret_cast<uint8_t*>(memory_.address()), size_,
            static_cast<size_t>(image_->bytes_per_line)};
  }

 private:
  Size size_;
  SharedMemory memory_;
  XShmSegmentInfo segment_{};
  ImageHandle image_;
};

class PlainBuffer : public X11Buffer {
 public:
  PlainBuffer(X11Connection& connection, Size size) : picture_(size) {
    Display* display = connection.get();
    constexpr int kRowPadding = 32;
    image_.reset(XCreateImage(display, visual(display), depth(display), ZPixmap, 0,
                              reinterpret_cast<char*>(picture_.data()), static_cast<unsigned>(size.width),
                              static_cast<unsigned>(size.height), kRowPadding, 0));
    if (!image_) throw std::bad_alloc();
  }

  bool fill(X11Connection& connection) override {
    const Size size = picture_.size();
    return XGetSubImage(connection.get(), connection.root(), 0, 0, static_cast<unsigned>(size.width),
                        static_cast<unsigned>(size.height), AllPlanes, ZPixmap, image_.get(), 0,
                        0) != nullptr;
  }

  MutableImageView view() override { return picture_.view(); }

 private:
  Image picture_;
  ImageHandle image_;
};

}  // namespace

std::vector<std::unique_ptr<X11Buffer>> make_shared_buffers(X11Connection& connection, Size size, int count) {
  if (!XShmQueryExtension(connection.get())) return {};
  connection.sync_without_error();
  std::vector<std::unique_ptr<X11Buffer>> buffers;
  buffers.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    auto buffer = std::make_unique<SharedBuffer>(connection, size);
    if (!buffer->valid()) return {};
    buffers.push_back(std::move(buffer));
  }
  return buffers;
}

std::vector<std::unique_ptr<X11Buffer>> make_plain_buffers(X11Connection& connection, Size size, int count) {
  std::vector<std::unique_ptr<X11Buffer>> buffers;
  buffers.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) buffers.push_back(std::make_unique<PlainBuffer>(connection, size));
  return buffers;
}

}  // namespace latentdesk
