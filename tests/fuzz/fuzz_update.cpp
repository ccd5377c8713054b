// Updates of latentdesk.2 as a viewer applies them, one after the other: each is 16 bits of length, a byte
// that chooses how the parts are compressed, and the parts' bytes, which are packed here so that the fuzzer
// need not find out how zlib works. An input that begins with 0xff is a whole message instead.

#include "common/stream/canvas.h"
#include "common/stream/messages.h"

#include <cstddef>
#include <cstdint>

using namespace latentdesk;

namespace {

constexpr int kChannels = 4;

/// Writes every pixel, as a decoder must.
class ConstantDecoder : public Decoder {
 public:
  void decode(const Latents&, MutableImageView) override {}
  void decode_tiles(const Latents& latents, std::span<const MutableImageView> tiles) override {
    for (const MutableImageView& tile : tiles) {
      for (int y = 0; y < tile.size.height; ++y) {
        std::fill_n(tile.row(y), tile.size.width * kBytesPerPixel, static_cast<uint8_t>(latents.values[0]));
      }
    }
  }
};

void apply_message(Canvas& canvas, ByteView bytes) {
  const MessageView parts = split_message(bytes);
  parse_server_message(parts);
  canvas.apply(parse_update_header(parts.header), parts.payload);
}

void apply_parts(Canvas& canvas, ByteView bytes, uint8_t cut) {
  static UpdatePacker packer;
  UpdateParts parts;
  const size_t share = bytes.size() * cut / 256;
  parts.operations.assign(bytes.begin(), bytes.begin() + static_cast<long>(share));
  const ByteView rest = bytes.subspan(share);
  parts.colours.assign(rest.begin(), rest.end());
  parts.indices.assign(rest.begin(), rest.end());
  for (auto& plane : parts.residuals) plane.assign(rest.begin(), rest.end());
  parts.latents.assign(rest.begin(), rest.end());
  UpdateHeader header{.number = 1, .time_ms = 0, .scale = 1, .sizes = {}, .packed = {}};
  std::vector<uint8_t> payload;
  packer.pack(parts, header, payload);
  canvas.apply(header, payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Canvas canvas(std::make_unique<ConstantDecoder>(), kChannels, 8);
  canvas.reset({150, 70});
  ByteView bytes(data, size);
  try {
    if (!bytes.empty() && bytes[0] == 0xff) apply_message(canvas, bytes.subspan(1));
    while (bytes.size() > 3) {
      const size_t length = std::min<size_t>((bytes[0] | bytes[1] << 8), bytes.size() - 3);
      apply_parts(canvas, bytes.subspan(3, length), bytes[2]);
      bytes = bytes.subspan(3 + length);
    }
  } catch (const ProtocolError&) {
  }
  return 0;
}
