#pragma once

#include "common/codec/model.h"

#include <cstddef>

namespace latentdesk {

/// What a network must do at least, for pictures of so many pixels together, with tensors in fp16.
struct Cost {
  double operations = 0;  ///< of its convolutions; two for a multiply-add
  double bytes =
      0;  ///< to and from memory when each layer reads its inputs and weights and writes its output once
};

/// Rearranging layers at the picture's end count as what turns tensors into pixels or back: 4 bytes a pixel.
Cost cost_of(const Network& network, size_t pixels);

}  // namespace latentdesk
