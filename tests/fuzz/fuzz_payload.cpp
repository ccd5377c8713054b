// A frame's payload as a viewer reads it. The first three bytes choose the shape that the header announces.

#include "common/codec/latents.h"

#include <cstddef>
#include <cstdint>

using namespace latentdesk;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  static Inflater inflater;
  static Latents latents;
  FrameHeader header;
  header.latent = {data[0] + 1, data[1] + 1, data[2] + 1};
  header.scale = 1;
  try {
    unpack(header, ByteView(data + 3, size - 3), inflater, latents);
  } catch (const ProtocolError&) {
  }
  return 0;
}
