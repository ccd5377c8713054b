#pragma once

#include "common/image.h"

#include <cstdint>

namespace latentdesk {

/// How near pictures come to their originals, over many frames. One thread uses it.
class Fidelity {
 public:
  /// Pictures of one size.
  void add(ImageView original, ImageView decoded);

  /// RGB, dB, from the pooled squared error of all frames; 99 when it is zero.
  double psnr() const;
  /// Mean over frames of the structural similarity of luma (Wang et al. 2004), in uniform 8x8 windows every 4
  /// pixels; 1 when there is no window.
  double ssim() const;

 private:
  uint64_t squared_error_ = 0;
  uint64_t samples_ = 0;
  double ssim_sum_ = 0;
  uint64_t frames_ = 0;
};

}  // namespace latentdesk
