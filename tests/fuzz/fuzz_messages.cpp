// The messages of latentdesk.2 but updates, as either side reads them.

#include "common/stream/messages.h"

#include <cstddef>
#include <cstdint>

using namespace latentdesk;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  try {
    if (data[0] == 's') {
      const ServerMessage message = parse_server_message(split_message(bytes));
      if (!std::holds_alternative<UpdateAhead>(message)) serialize(message);
    } else {
      serialize(parse_viewer_message(bytes, data[0] == 't'));
    }
  } catch (const ProtocolError&) {
  }
  return 0;
}
