// Messages as a viewer and as the server reads them: framing, header, client messages.

#include "common/protocol.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace latentdesk;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView message(data, size);
  try {
    const FrameHeader header = parse_frame_header(split_message(message).header);
    if (!is_valid(header.original) || !(header.scale > 0)) std::abort();
    const std::string again = serialize_frame_prefix(header);
    const ByteView bytes(reinterpret_cast<const uint8_t*>(again.data()), again.size());
    if (parse_frame_header(split_message(bytes).header).latent != header.latent) std::abort();
  } catch (const ProtocolError& error) {
    printable(error.what());
  }
  for (const bool is_text : {false, true}) {
    try {
      validate_client_message(message, is_text);
    } catch (const ProtocolError&) {
    }
  }
  return 0;
}
