#pragma once

#include "client/message_decoder.h"
#include "common/codec/codec.h"
#include "common/codec/latents.h"
#include "common/codec/restoration.h"
#include "common/deflate.h"
#include "common/image.h"

#include <memory>
#include <string>

namespace latentdesk {

/// Turns messages of the baseline format, each one whole frame, into pictures. Decode thread.
class BaselineDecoder : public MessageDecoder {
 public:
  /// Without a `decoder` only headers are parsed and checked, and pictures have no image.
  BaselineDecoder(LatentSpace space, std::unique_ptr<Decoder> decoder, Pool<Image>& images);

  std::optional<Picture> decode(const Message& message, bool show) override;

 private:
  void check_origin(const FrameHeader& header) const;
  void decode_payload(const FrameHeader& header, ByteView payload, Picture& picture);

  LatentSpace space_;
  std::unique_ptr<Decoder> decoder_;
  Restoration restoration_;
  Pool<Image>& images_;
  Inflater inflater_;
  Latents latents_;
};

}  // namespace latentdesk
