// common/codec/restoration.h for a picture in this memory.

#include "common/codec/restoration_kernel.h"

extern "C" {

/// `kinds`: of the picture's blocks, row by row. Limits in grey levels. `memory`: for the picture with two
/// pixels more on each side.
__attribute__((export_name("restore"))) void restore(uint8_t* pixels, int width, int height,
                                                     const uint8_t* kinds, int step, int natural, int drawn,
                                                     uint8_t* memory) {
  using namespace latentdesk::restoration;
  const int columns = (width + kBlock - 1) / kBlock, rows = (height + kBlock - 1) / kBlock;
  const Limits limits{static_cast<int16_t>(step),
                      {static_cast<uint8_t>(natural), static_cast<uint8_t>(drawn)}};
  latentdesk::restoration::restore({pixels, static_cast<size_t>(width) * kPixel, width, height},
                                   {kinds, columns, rows}, limits, memory);
}
}
