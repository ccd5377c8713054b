// Updates of latentdesk.2 as a viewer applies them, one after the other: each is 16 bits of length, a byte
// that says how much of it is operations, and the parts' bytes, which are packed here so that the fuzzer
// need not find out how zlib works; if that byte is odd, the stream of latents is taken as it is. An input
// that begins with 0xff is a whole message instead.

#include "common/stream/canvas.h"
#include "common/stream/messages.h"

#include <cstddef>
#include <cstdint>

using namespace latentdesk;

namespace {

constexpr int kChannels = 48;  // enough that something like a position is looked for
constexpr uint32_t kSlots = 8;
constexpr Size kSize{150, 70};

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

/// Adds residuals and latents for the operations, of values that repeat `values`.
void add_coded_parts(const TileGrid& grid, ByteView values, UpdateParts& parts) {
  static std::vector<Operation> operations;
  parse_operations(parts.operations, grid, kSlots, operations);
  size_t next = 0;
  const auto fill = [&](auto& out, size_t count) {
    for (; count > 0; --count)
      out.push_back(static_cast<std::decay_t<decltype(out[0])>>(values[next++ % values.size()]));
  };
  parts.latent_channels = kChannels;
  for (const Operation& operation : operations) {
    const Rect rect = grid.rect(operation.tile);
    if (operation.kind == Operation::Kind::latents) fill(parts.latents, 64 * kChannels);
    if (operation.kind != Operation::Kind::pixels) continue;
    parts.pixel_areas.push_back({{rect.width, rect.height}, operation.mask});
    for (auto& plane : parts.residuals) fill(plane, pixels_in({rect.width, rect.height}, operation.mask));
  }
}

void apply_parts(Canvas& canvas, ByteView bytes, uint8_t cut) {
  static UpdatePacker packer;
  UpdateParts parts;
  const size_t share = bytes.size() * cut / 256;
  parts.operations.assign(bytes.begin(), bytes.begin() + static_cast<long>(share));
  const ByteView rest = bytes.subspan(share);
  if (rest.empty()) return;
  parts.colours.assign(rest.begin(), rest.end());
  parts.indices.assign(rest.begin(), rest.end());
  add_coded_parts(TileGrid(kSize), rest, parts);
  UpdateHeader header{.number = 1, .time_ms = 0, .scale = 1, .sizes = {}, .packed = {}};
  std::vector<uint8_t> payload;
  packer.pack(parts, header, payload);
  if ((cut & 1) != 0 && !parts.latents.empty()) {  // a stream that nobody coded
    payload.resize(payload.size() - header.packed.back());
    payload.insert(payload.end(), rest.begin(), rest.end());
    header.packed.back() = rest.size();
  }
  canvas.apply(header, payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Canvas canvas(std::make_unique<ConstantDecoder>(), kChannels, kSlots);
  canvas.reset(kSize);
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
