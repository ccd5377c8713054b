#include "server/x11_connection.h"

#include "server/capture.h"

#include <utility>

#include <X11/Xlib.h>

namespace latentdesk {

namespace {

// Xlib reports errors to one function of the process; it runs on the thread that reads the answer.
thread_local bool error_reported = false;

int note_error(Display*, XErrorEvent*) {
  error_reported = true;
  return 0;
}

void note_loss(Display*, void* lost) { *static_cast<bool*>(lost) = true; }

int ignore_loss(Display*) { return 0; }  // the exit handler, which follows, tells the connection

}  // namespace

X11Connection::X11Connection(const std::string& display) : name_(XDisplayName(display.c_str())) {
  XSetErrorHandler(note_error);
  XSetIOErrorHandler(ignore_loss);
  display_ = XOpenDisplay(display.empty() ? nullptr : display.c_str());
  if (!display_) {
    throw CaptureLost("cannot open X display '" + name_ +
                      "': is it running, and may this user connect (DISPLAY, XAUTHORITY)?");
  }
  XSetIOErrorExitHandler(display_, note_loss, &lost_);
}

X11Connection::~X11Connection() { XCloseDisplay(display_); }

unsigned long X11Connection::root() const { return DefaultRootWindow(display_); }

int X11Connection::fd() const { return ConnectionNumber(display_); }

void X11Connection::check() const {
  if (lost_) throw CaptureLost("X display '" + name_ + "' went away");
}

bool X11Connection::sync_without_error() {
  XSync(display_, False);
  check();
  return !std::exchange(error_reported, false);
}

void XFreeDeleter::operator()(void* memory) const { XFree(memory); }

}  // namespace latentdesk
