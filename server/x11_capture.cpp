#include "server/x11_capture.h"

#include "server/x11_buffers.h"
#include "server/x11_connection.h"
#include "server/x11_cursor.h"

#include <X11/extensions/XInput2.h>
#include <X11/extensions/Xdamage.h>
#include <X11/extensions/Xfixes.h>
#include <X11/extensions/Xrandr.h>

namespace latentdesk {

namespace {

Size screen_size(const X11Connection& connection) {
  XWindowAttributes attributes;
  if (!XGetWindowAttributes(connection.get(), connection.root(), &attributes)) connection.check();
  return {attributes.width, attributes.height};
}

void check_pixel_format(const X11Connection& connection) {
  const Display* display = connection.get();
  const Visual* visual = DefaultVisual(display, DefaultScreen(display));
  const bool is_bgrx = DefaultDepth(display, DefaultScreen(display)) >= 24 && visual->red_mask == 0xff0000 &&
                       visual->green_mask == 0xff00 && visual->blue_mask == 0xff &&
                       ImageByteOrder(display) == LSBFirst;
  if (!is_bgrx)
    throw std::runtime_error("the X display must have 24-bit colour (Xvfb: -screen 0 1280x720x24)");
}

class X11Capture : public Capture {
 public:
  explicit X11Capture(const X11CaptureOptions& options)
      : connection_(options.display), size_(screen_size(connection_)), has_cursor_(options.cursor) {
    check_pixel_format(connection_);
    if (!is_valid(size_)) throw std::runtime_error("the X screen is larger than 8K");
    select_damage();
    select_size();
    if (has_cursor_) select_pointer();
    connection_.check();
  }

  std::string description() const override {
    return "X display " + std::string(DisplayString(connection_.get())) + " through " +
           (shared_ ? "shared memory" : "its socket, without shared memory");
  }

  Size size() const override { return size_; }

  std::vector<std::unique_ptr<FrameBuffer>> make_buffers(int count) override {
    auto buffers = make_shared_buffers(connection_, size_, count);
    shared_ = !buffers.empty();
    if (!shared_) buffers = make_plain_buffers(connection_, size_, count);
    return {std::make_move_iterator(buffers.begin()), std::make_move_iterator(buffers.end())};
  }

  bool wait(int wake_fd, std::optional<SteadyTime> deadline) override {
    if (drain_events()) return true;  // Xlib may have read them with an answer
    wait_readable(connection_.fd(), wake_fd, deadline);
    return drain_events();
  }

  void grab(FrameBuffer& buffer) override {
    // Damage first: what changes while the picture is read is reported again.
    XDamageSubtract(connection_.get(), damage_, None, None);
    const bool filled = static_cast<X11Buffer&>(buffer).fill(connection_);
    connection_.check();
    if (!filled) throw CaptureLost("the X screen has changed its size");
  }

  void watch_cursor(bool wanted) override { cursor_wanted_ = wanted && has_cursor_; }

  std::shared_ptr<const CursorPicture> cursor() override {
    return cursor_wanted_ ? cursor_picture(connection_) : nullptr;
  }

 private:
  void select_damage() {
    int error_base = 0;
    if (!XDamageQueryExtension(connection_.get(), &damage_event_, &error_base)) {
      throw std::runtime_error("the X server has no DAMAGE extension");
    }
    // One event when the region stops being empty, however much is drawn.
    damage_ = XDamageCreate(connection_.get(), connection_.root(), XDamageReportNonEmpty);
  }

  void select_size() {
    int error_base = 0;
    if (!XRRQueryExtension(connection_.get(), &randr_event_, &error_base)) return;
    XRRSelectInput(connection_.get(), connection_.root(), RRScreenChangeNotifyMask);
  }

  void select_pointer() {
    int error_base = 0;
    if (XFixesQueryExtension(connection_.get(), &xfixes_event_, &error_base)) {
      XFixesSelectCursorInput(connection_.get(), connection_.root(), XFixesDisplayCursorNotifyMask);
    }
    xinput_opcode_ = connection_.select_pointer_motion();
  }

  /// True when one of the events is about the picture.
  bool drain_events() {
    bool changed = false;
    while (XPending(connection_.get()) > 0) {
      XEvent event;
      XNextEvent(connection_.get(), &event);
      // It also comes before and after the size itself changes.
      if (event.type == randr_event_ + RRScreenChangeNotify && screen_size(connection_) != size_)
        throw CaptureLost("the X screen has changed its size");
      const bool is_cursor = event.type == xfixes_event_ + XFixesCursorNotify ||
                             (event.type == GenericEvent && event.xcookie.extension == xinput_opcode_);
      changed |= event.type == damage_event_ + XDamageNotify || (is_cursor && cursor_wanted_);
    }
    connection_.check();
    return changed;
  }

  X11Connection connection_;
  Size size_;
  bool has_cursor_;
  bool cursor_wanted_ = false;
  bool shared_ = false;
  Damage damage_ = None;
  // Never the type of an event while its extension is not there.
  int damage_event_ = -1000;
  int randr_event_ = -1000;
  int xfixes_event_ = -1000;
  int xinput_opcode_ = -1;
};

}  // namespace

std::unique_ptr<Capture> open_x11_capture(const X11CaptureOptions& options) {
  return std::make_unique<X11Capture>(options);
}

}  // namespace latentdesk
