#pragma once

#include <memory>
#include <string>

// As Xlib declares it, without Xlib's macros.
struct _XDisplay;  // NOLINT(bugprone-reserved-identifier): Xlib's name
typedef struct _XDisplay Display;

namespace latentdesk {

/// A connection whose loss is an exception instead of exit(), Xlib's habit. One thread uses it.
class X11Connection {
 public:
  /// Throws CaptureLost when there is no such display.
  explicit X11Connection(const std::string& display);
  ~X11Connection();
  X11Connection(const X11Connection&) = delete;
  X11Connection& operator=(const X11Connection&) = delete;

  Display* get() const { return display_; }
  unsigned long root() const;  ///< window of the whole screen
  int fd() const;

  /// Throws CaptureLost when the server has gone. After it has, Xlib's calls return at once and mean nothing.
  void check() const;

  /// Has events come for every move of the pointer, which are XInput's raw ones; the extension's number, or
  /// -1 where there is none.
  int select_pointer_motion();

  /// Waits until the server has answered all so far; false when it reported an error since the last call.
  bool sync_without_error();

 private:
  std::string name_;
  Display* display_ = nullptr;
  bool lost_ = false;
};

struct XFreeDeleter {
  void operator()(void* memory) const;
};

template <typename T>
using XPointer = std::unique_ptr<T, XFreeDeleter>;

}  // namespace latentdesk
