#pragma once

#include "client/connection.h"
#include "client/picture.h"
#include "common/codec/codec.h"
#include "common/codec/latents.h"
#include "common/deflate.h"
#include "common/image.h"

#include <memory>
#include <string>

namespace latentdesk {

/// What latents must come from to be decoded here.
struct LatentSpace {
  std::string model_version;  ///< Model::wire_version()
  int channels = 0;
};

/// Turns messages of the baseline format, each one whole frame, into pictures. Decode thread.
class BaselineDecoder {
 public:
  /// Without a `decoder` only headers are parsed and checked, and pictures have no image.
  BaselineDecoder(LatentSpace space, std::unique_ptr<Decoder> decoder, Pool<Image>& images);

  /// The picture's number is left at 0. Throws ProtocolError for what its sender has to answer for, and
  /// whatever the decoder throws.
  Picture decode(const Message& message);

 private:
  void check_origin(const FrameHeader& header) const;
  void decode_payload(const FrameHeader& header, ByteView payload, Picture& picture);

  LatentSpace space_;
  std::unique_ptr<Decoder> decoder_;
  Pool<Image>& images_;
  Inflater inflater_;
  Latents latents_;
};

}  // namespace latentdesk
