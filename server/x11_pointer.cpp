#include "server/x11_pointer.h"

#include <X11/extensions/XInput2.h>
#include <X11/extensions/XTest.h>

namespace latentdesk {

namespace {

constexpr auto kFrame = std::chrono::milliseconds(16);
constexpr int kFirstWheelButton = 4;
constexpr int kLastWheelButton = 7;

void click(Display* display, int button, int times) {
  for (int i = 0; i < times; ++i) {
    XTestFakeButtonEvent(display, static_cast<unsigned>(button), True, CurrentTime);
    XTestFakeButtonEvent(display, static_cast<unsigned>(button), False, CurrentTime);
  }
}

}  // namespace

X11Pointer::X11Pointer(X11Connection& connection)
    : connection_(connection), xinput_opcode_(connection.select_pointer_motion()), look_at_(SteadyTime{}) {}

void X11Pointer::move(int x, int y) {
  XTestFakeMotionEvent(connection_.get(), -1, x, y, CurrentTime);
  put_ = {x, y};
}

void X11Pointer::press(int button) {
  if (button >= kFirstWheelButton && button <= kLastWheelButton) return;
  if (held_.insert(button).second)
    XTestFakeButtonEvent(connection_.get(), static_cast<unsigned>(button), True, CurrentTime);
}

void X11Pointer::release(int button) {
  if (held_.erase(button) > 0)
    XTestFakeButtonEvent(connection_.get(), static_cast<unsigned>(button), False, CurrentTime);
}

void X11Pointer::release_all() {
  while (!held_.empty()) release(*held_.begin());
}

void X11Pointer::scroll(int dx, int dy) {
  click(connection_.get(), dy < 0 ? 4 : 5, std::abs(dy));
  click(connection_.get(), dx < 0 ? 6 : 7, std::abs(dx));
}

bool X11Pointer::handle(const _XEvent& event, SteadyTime now) {
  if (event.type != GenericEvent || event.xcookie.extension != xinput_opcode_) return false;
  look_soon(now);
  return true;
}

void X11Pointer::look_soon(SteadyTime now) {
  if (!look_at_) look_at_ = now + kFrame;
}

std::optional<DeskPointer> X11Pointer::look(SteadyTime now) {
  if (!look_at_ || now < *look_at_) return std::nullopt;
  look_at_.reset();
  Window root = None, child = None;
  int x = 0, y = 0, window_x = 0, window_y = 0;
  unsigned modifiers = 0;
  XQueryPointer(connection_.get(), connection_.root(), &root, &child, &x, &y, &window_x, &window_y,
                &modifiers);
  connection_.check();
  const DeskPointer found{x, y, put_ == std::pair{x, y}};
  if (seen_ == found) return std::nullopt;
  seen_ = found;
  return found;
}

}  // namespace latentdesk
