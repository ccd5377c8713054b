#include "common/codec/latents.h"

namespace latentdesk {

void unpack(const FrameHeader& header, ByteView payload, Inflater& inflater, Latents& out) {
  check_inflated_size(header.latent.elements(), payload.size());
  out.resize(header.latent);
  out.scale = header.scale;
  inflater.inflate(payload, out.values);
}

}  // namespace latentdesk
