#pragma once

#include "client/native_window.h"
#include "common/stream/messages.h"

#include <memory>

namespace latentdesk {

/// A shape of `factor` times the size, at least a pixel and at most kMaxCursorSide on a side; each pixel is
/// the mean of those that it covers, by their alpha.
CursorShape scaled_cursor(const CursorShape& shape, double factor);

/// The system's pointer, which looks as the server says while it is the remote pointer that moves with it, so
/// that it moves with no round trip. Main thread.
class PointerLook {
 public:
  PointerLook() = default;
  /// The system's own again.
  ~PointerLook();
  PointerLook(const PointerLook&) = delete;
  PointerLook& operator=(const PointerLook&) = delete;

  void set_shape(CursorShape shape);
  /// `factor`: points of the window for each pixel of the shape.
  void show_remote(double factor);
  void show_own();

  /// 0x0 when hidden, and before the server has told.
  const CursorShape& shape() const { return shape_; }

 private:
  using SdlCursor = std::unique_ptr<SDL_Cursor, SdlDeleter<SDL_FreeCursor>>;

  CursorShape shape_;
  SdlCursor cursor_;    ///< of `shape_` at `factor_`; null when not shown
  double factor_ = 0;   ///< 0: the system's own is shown
  bool known_ = false;  ///< the server has told
};

}  // namespace latentdesk
