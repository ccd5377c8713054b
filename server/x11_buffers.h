#pragma once

#include "server/capture.h"
#include "server/x11_connection.h"

#include <memory>
#include <vector>

namespace latentdesk {

/// A picture that the X server fills: through memory shared with it, or through the socket.
class X11Buffer : public FrameBuffer {
 public:
  /// From the capture thread. False when the server could not, which it says when its screen has changed
  /// size.
  virtual bool fill(X11Connection& connection) = 0;
};

/// `count` buffers in shared memory; empty when the server cannot reach ours (another machine, another
/// container).
std::vector<std::unique_ptr<X11Buffer>> make_shared_buffers(X11Connection& connection, Size size, int count);
std::vector<std::unique_ptr<X11Buffer>> make_plain_buffers(X11Connection& connection, Size size, int count);

}  // namespace latentdesk
