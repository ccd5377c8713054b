#include "common/codec/latents.h"

namespace latentdesk {

void unpack(const FrameHeader& header, ByteView payload, Inflater& inflater, Latents& out) {
  // DEFLATE yields at most 1032 bytes for each of its own: refuse before memory is taken.
  constexpr size_t kMaxDeflateRatio = 1032;
  if (header.latent.elements() / kMaxDeflateRatio > payload.size()) {
    throw ProtocolError("payload is too short for its header");
  }
  out.resize(header.latent);
  out.scale = header.scale;
  inflater.inflate(payload, out.values);
}

}  // namespace latentdesk
