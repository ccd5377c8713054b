#include "server/x11_buffers.h"

#include <cstdlib>
#include <new>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>
#include <utility>
#include <xcb/shm.h>

#include <X11/Xlib-xcb.h>
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

/// Memory that the X server maps too, as the extension MIT-SHM wants it.
class SharedMemory {
 public:
  virtual ~SharedMemory() = default;
  /// False when the server cannot reach it.
  virtual bool attach(X11Connection& connection) = 0;

  XShmSegmentInfo& segment() { return segment_; }
  char* address() const { return segment_.shmaddr; }

 protected:
  XShmSegmentInfo segment_{};
};

/// Reaches the server as a descriptor through the connection, so also from a container with System V
/// identifiers of its own, where the number of our segment would name somebody else's there.
class DescriptorMemory : public SharedMemory {
 public:
  explicit DescriptorMemory(size_t bytes)
      : bytes_(bytes), fd_(memfd_create("latentdesk-frame", MFD_CLOEXEC)) {
    if (fd_ < 0 || ftruncate(fd_, static_cast<off_t>(bytes)) != 0) return;
    void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (address != MAP_FAILED) segment_.shmaddr = static_cast<char*>(address);
  }
  ~DescriptorMemory() override {
    if (address()) munmap(address(), bytes_);
    if (fd_ >= 0) close(fd_);
  }
  DescriptorMemory(const DescriptorMemory&) = delete;
  DescriptorMemory& operator=(const DescriptorMemory&) = delete;

  bool attach(X11Connection& connection) override {
    int major = 0, minor = 0;
    Bool pixmaps = False;
    if (!address() || !XShmQueryVersion(connection.get(), &major, &minor, &pixmaps)) return false;
    if (major < 1 || (major == 1 && minor < 2)) return false;
    xcb_connection_t* xcb = XGetXCBConnection(connection.get());
    segment_.shmseg = xcb_generate_id(xcb);
    const int sent_fd = std::exchange(fd_, -1);  // which closes it
    const auto request = xcb_shm_attach_fd_checked(xcb, static_cast<uint32_t>(segment_.shmseg), sent_fd, 0);
    xcb_generic_error_t* error = xcb_request_check(xcb, request);
    std::free(error);
    connection.check();
    return !error;
  }

 private:
  size_t bytes_;
  int fd_;
};

/// For servers that take no descriptors. Its identifier is given up once both sides are attached, so nothing
/// outlives a crash.
class SystemVMemory : public SharedMemory {
 public:
  explicit SystemVMemory(size_t bytes) {
    segment_.shmid = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600);
    void* address = segment_.shmid < 0 ? nullptr : shmat(segment_.shmid, nullptr, 0);
    if (address != reinterpret_cast<void*>(-1)) {  // NOLINT: shmat's own value
      segment_.shmaddr = static_cast<char*>(address);
    }
  }
  ~SystemVMemory() override {
    if (address()) shmdt(address());
    give_up_identifier();
  }
  SystemVMemory(const SystemVMemory&) = delete;
  SystemVMemory& operator=(const SystemVMemory&) = delete;

  bool attach(X11Connection& connection) override {
    if (!address()) return false;
    connection.sync_without_error();
    const bool attached = XShmAttach(connection.get(), &segment_) && connection.sync_without_error();
    give_up_identifier();
    return attached;
  }

 private:
  void give_up_identifier() {
    if (segment_.shmid >= 0) shmctl(std::exchange(segment_.shmid, -1), IPC_RMID, nullptr);
  }
};

/// Attached memory; null when the server cannot reach ours.
std::unique_ptr<SharedMemory> share_memory(X11Connection& connection, size_t bytes) {
  std::unique_ptr<SharedMemory> memory = std::make_unique<DescriptorMemory>(bytes);
  if (memory->attach(connection)) return memory;
  memory = std::make_unique<SystemVMemory>(bytes);
  return memory->attach(connection) ? std::move(memory) : nullptr;
}

class SharedBuffer : public X11Buffer {
 public:
  SharedBuffer(X11Connection& connection, Size size, std::unique_ptr<SharedMemory> memory)
      : size_(size), memory_(std::move(memory)) {
    Display* display = connection.get();
    image_.reset(XShmCreateImage(display, visual(display), depth(display), ZPixmap, memory_->address(),
                                 &memory_->segment(), static_cast<unsigned>(size.width),
                                 static_cast<unsigned>(size.height)));
    if (!image_) throw std::bad_alloc();
  }

  bool fill(X11Connection& connection) override {
    return XShmGetImage(connection.get(), connection.root(), image_.get(), 0, 0, AllPlanes) != 0;
  }

  MutableImageView view() override {
    return {reinterpret_cast<uint8_t*>(memory_->address()), size_,
            static_cast<size_t>(image_->bytes_per_line)};
  }

 private:
  Size size_;
  std::unique_ptr<SharedMemory> memory_;
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
  std::vector<std::unique_ptr<X11Buffer>> buffers;
  buffers.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    auto memory = share_memory(connection, size.pixels() * kBytesPerPixel);
    if (!memory) return {};
    buffers.push_back(std::make_unique<SharedBuffer>(connection, size, std::move(memory)));
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
