#pragma once

#include "client/connection.h"
#include "client/picture.h"

#include <optional>
#include <string>

namespace latentdesk {

/// What latents must come from to be decoded here.
struct LatentSpace {
  std::string model_version;  ///< Model::wire_version()
  int channels = 0;
};

/// Turns a server's messages into pictures. Decode thread.
class MessageDecoder {
 public:
  virtual ~MessageDecoder() = default;

  /// Nothing when the message brings no picture, or brings one while `show` is false: further messages wait.
  /// The picture's number is left at 0. Throws ProtocolError for what its sender has to answer for, and
  /// whatever the decoder throws.
  virtual std::optional<Picture> decode(const Message& message, bool show) = 0;
};

}  // namespace latentdesk
