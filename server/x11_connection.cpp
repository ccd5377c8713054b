#include "server/x11_connection.h"

#include "server/capture.h"

#include <utility>

#include <X11/Xlib.h>
#include <X11/extensions/XInput2.h>

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

int X11Connection::select_pointer_motion() {
  int opcode = -1, event = 0, error = 0, major = 2, minor = 2;
  if (!XQueryExtension(display_, "XInputExtension", &opcode, &event, &error)) return -1;
  if (XIQueryVersion(display_, &major, &minor) != Success) return -1;
  unsigned char mask[XIMaskLen(XI_LASTEVENT)] = {};
  XISetMask(mask, XI_RawMotion);
  XIEventMask events{XIAllMasterDevices, sizeof mask, mask};
  XISelectEvents(display_, root(), &events, 1);
  return opcode;
}

bool X11Connection::sync_without_error() {
  XSync(display_, False);
  check();
  return !std::exchange(error_reported, false);
}

void XFreeDeleter::operator()(void* memory) const { XFree(memory); }

}  // namespace latentdesk
