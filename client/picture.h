#pragma once

#include "client/pool.h"
#include "common/clock.h"
#include "common/image.h"

#include <cstddef>
#include <cstdint>

namespace latentdesk {

/// What is known of one frame on its way from the socket to the screen.
struct FrameInfo {
  uint64_t number = 0;      ///< from 1, over all connections
  uint64_t connection = 0;  ///< as Message::connection
  Size size;
  size_t bytes = 0;             ///< of the whole message
  double timestamp = 0;         ///< capture time, seconds since the epoch
  bool clock_measured = false;  ///< timestamp is by our clock, else by the server's
  SteadyTime received;          ///< the last byte was read
  SteadyTime ready;             ///< the picture was decoded, or only the header was checked
  double unpack_ms = 0;
  double decode_ms = 0;
};

/// A decoded frame.
struct Picture {
  FrameInfo info;
  Pool<Image>::Pointer image;  ///< null when frames are only counted
};

}  // namespace latentdesk
