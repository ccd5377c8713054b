#include "client/baseline.h"

#include <utility>

namespace latentdesk {

BaselineDecoder::BaselineDecoder(LatentSpace space, std::unique_ptr<Decoder> decoder, Pool<Image>& images)
    : space_(std::move(space)), decoder_(std::move(decoder)), images_(images) {}

std::optional<Picture> BaselineDecoder::decode(const Message& message, bool show) {
  if (!show && decoder_) return std::nullopt;  // a newer whole picture waits
  const MessageView parts = split_message(*message.bytes);
  const FrameHeader header = parse_frame_header(parts.header);
  check_origin(header);
  Picture picture;
  picture.info.connection = message.connection;
  picture.info.size = header.original;
  picture.info.bytes = message.bytes->size();
  picture.info.timestamp = header.timestamp;
  picture.info.received = message.received;
  if (decoder_) decode_payload(header, parts.payload, picture);
  picture.info.ready = SteadyClock::now();
  return picture;
}

void BaselineDecoder::check_origin(const FrameHeader& header) const {
  if (header.model_ver != space_.model_version) {
    throw ProtocolError("the server encodes with model " + printable(header.model_ver) +
                        ", this viewer decodes " + space_.model_version);
  }
  if (header.latent.channels != space_.channels) {
    throw ProtocolError("c is " + std::to_string(header.latent.channels) + ", the model has " +
                        std::to_string(space_.channels) + " channels");
  }
}

void BaselineDecoder::decode_payload(const FrameHeader& header, ByteView payload, Picture& picture) {
  const SteadyTime start = SteadyClock::now();
  unpack(header, payload, inflater_, latents_);
  const SteadyTime unpacked = SteadyClock::now();
  picture.image = images_.take();
  picture.image->resize(header.original);
  decoder_->decode(latents_, picture.image->view());
  restoration_.restore_all(picture.image->view(), latents_.scale);
  picture.info.unpack_ms = milliseconds(unpacked - start);
  picture.info.decode_ms = milliseconds_since(unpacked);
}

}  // namespace latentdesk
