#include "common/stream/canvas.h"
#include "common/stream/palette.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

// Messages of latentdesk.2 as bytes in tests/golden, which hold this canvas and the web page's (tests/web)
// together: each file is a sequence of pieces, 32 bits of length, big-endian, before each.
// LATENTDESK_WRITE_GOLDEN=1 writes them anew.

namespace latentdesk {
namespace {

using Kind = Operation::Kind;

constexpr Size kSize{150, 100};  // three columns and two rows of tiles, those at the ends smaller
constexpr uint32_t kSlots = 4;
constexpr BlockMask kScattered = 0x8142241818244281u;

uint32_t noise(uint32_t seed) {
  seed = (seed ^ 61u ^ seed >> 16) * 9u;
  return (seed ^ seed >> 4) * 0x27d4eb2du >> 3;
}

/// What the updates are made of, as the encoder would make it.
struct Maker {
  TileGrid grid{kSize};
  std::vector<Operation> operations;
  UpdateParts parts;

  Operation& add(Kind kind, uint32_t tile, BlockMask mask = kWholeTile) {
    Operation& operation = operations.emplace_back();
    operation.kind = kind;
    operation.tile = tile;
    operation.mask = mask;
    return operation;
  }

  void colours(size_t count) {
    for (size_t i = 0; i < count * 3; ++i)
      parts.colours.push_back(static_cast<uint8_t>(noise(static_cast<uint32_t>(i + count))));
  }

  void palette(uint32_t tile, BlockMask mask, size_t count) {
    add(Kind::palette, tile, mask).colours = static_cast<uint16_t>(count);
    colours(count);
    std::vector<uint8_t> indices(pixels_in(part_size(tile), mask));
    for (size_t i = 0; i < indices.size(); ++i)
      indices[i] = static_cast<uint8_t>(noise(static_cast<uint32_t>(i)) % count);
    pack_indices(indices, count, parts.indices);
  }

  /// A gradient with noise, or saturated noise, whose predictions leave 0 to 255.
  void pixels(uint32_t tile, BlockMask mask, int error, bool wild) {
    add(Kind::pixels, tile, mask).error = static_cast<uint8_t>(error);
    Image original(part_size(tile)), restored(part_size(tile));
    for (size_t i = 0; i < original.bytes(); ++i) {
      const uint32_t random = noise(static_cast<uint32_t>(i) * 7);
      original.data()[i] =
          static_cast<uint8_t>(wild ? (random & 1 ? 255 : random >> 1 & 7) : i / 70 + random % 5);
    }
    append_residuals(original.view(), mask, error, restored.view(), parts.residuals);
    parts.pixel_areas.push_back({part_size(tile), mask});
  }

  std::vector<uint8_t> message(uint64_t number) {
    append_operations(operations, parts.operations);
    UpdateHeader header;
    header.number = number;
    header.time_ms = 1'700'000'000'000;
    std::vector<uint8_t> payload;
    UpdatePacker().pack(parts, header, payload);
    const std::string prefix = serialize_update_prefix(header);
    std::vector<uint8_t> bytes(prefix.begin(), prefix.end());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
  }

  Size part_size(uint32_t tile) const { return {grid.rect(tile).width, grid.rect(tile).height}; }
};

std::vector<uint8_t> content_update() {
  Maker maker;
  maker.palette(0, kWholeTile, 2);
  maker.palette(1, block_rect(1, 2, 6, 8), 3);
  maker.palette(1, kScattered, 13);
  maker.palette(2, kWholeTile, 200);  // 22 pixels wide
  maker.add(Kind::solid, 5, block_rect(0, 0, 8, 2));
  maker.colours(1);
  maker.pixels(4, kWholeTile, 0, false);
  maker.pixels(3, kScattered, 0, true);
  maker.pixels(3, block_rect(3, 0, 5, 5), 3, false);
  maker.pixels(5, block_rect(0, 2, 8, 8), 63, true);
  return maker.message(1);
}

std::vector<uint8_t> copy_update() {
  Maker maker;
  maker.add(Kind::store, 0).slot = 3;
  maker.add(Kind::store, 4).slot = 0;
  const auto copy = [&](Rect to, int dx, int dy) {
    Operation& operation = maker.add(Kind::copy, 0);
    operation.to = to;
    operation.dx = dx;
    operation.dy = dy;
  };
  copy({0, 0, 100, 40}, 5, 7);       // onto itself
  copy({20, 30, 100, 40}, -3, -20);  // reads what the one before has overwritten
  maker.add(Kind::recall, 4, block_rect(2, 0, 7, 3)).slot = 3;
  maker.add(Kind::recall, 2, kScattered).slot = 0;
  return maker.message(2);
}

std::vector<uint8_t> scroll_update() {
  Maker maker;
  Operation& copy = maker.add(Kind::copy, 0);
  copy.to = {10, 20, 120, 80};
  copy.dx = 1;
  copy.dy = -11;
  return maker.message(3);
}

std::string golden_path(const char* name) {
  return std::string(LATENTDESK_MODELS_DIR) + "/../tests/golden/" + name;
}

using Piece = std::vector<uint8_t>;

std::vector<Piece> read_pieces(const char* name) {
  std::ifstream in(golden_path(name), std::ios::binary);
  const Piece file{std::istreambuf_iterator<char>(in), {}};
  std::vector<Piece> pieces;
  for (auto at = file.begin(); file.end() - at >= 4;) {
    const auto size = at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    at += 4;
    if (size < 0 || size > file.end() - at) throw std::runtime_error("a golden file is damaged");
    pieces.emplace_back(at, at + size);
    at += size;
  }
  return pieces;
}

void write_pieces(const char* name, const std::vector<Piece>& pieces) {
  std::ofstream out(golden_path(name), std::ios::binary);
  for (const Piece& piece : pieces) {
    for (const int shift : {24, 16, 8, 0}) out.put(static_cast<char>(piece.size() >> shift & 0xff));
    out.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(piece.size()));
  }
}

std::vector<Piece> pictures_of(const std::vector<Piece>& updates) {
  Canvas canvas(nullptr, 1, kSlots);
  canvas.reset(kSize);
  std::vector<Piece> pictures;
  for (const Piece& message : updates) {
    const MessageView view = split_message(message);
    canvas.apply(parse_update_header(view.header), view.payload);
    pictures.emplace_back(canvas.picture().data(), canvas.picture().data() + canvas.picture().bytes());
  }
  return pictures;
}

TEST(StreamGolden, UpdatesMakeTheGoldenPictures) {
  const std::vector<Piece> made{content_update(), copy_update(), scroll_update()};
  if (std::getenv("LATENTDESK_WRITE_GOLDEN")) {
    write_pieces("updates.bin", made);
    write_pieces("pictures.bin", pictures_of(made));
  }
  const std::vector<Piece> pictures = read_pieces("pictures.bin");
  ASSERT_EQ(pictures.size(), made.size());
  EXPECT_TRUE(pictures_of(read_pieces("updates.bin")) == pictures) << "the canvas shows something else";
  // Not byte for byte: another zlib may find other matches.
  EXPECT_TRUE(pictures_of(made) == pictures) << "updates are made otherwise than when the golden ones were";
}

// latents.bin: the stream of four tiles' latents of 72 channels, and the latents.
constexpr int kChannels = 72;
constexpr int kTiles = 4;

/// Two tiles whose first channels are smooth, and two of shapes that come again, the same or nearly so.
int golden_latent(int channel, int tile, int position) {
  const int at = tile * 64 + position;
  const auto random = [&](int of) {
    return static_cast<int>(noise(static_cast<uint32_t>(of * 72 + channel)) % 256) - 128;
  };
  if (tile < 2) {
    const int smooth = (position % 8 + position / 8) * 7 - 50;
    if (channel < 2) return smooth + random(at) / 64;
    return position > 50 && channel > 9 ? 0 : random(at) >> std::min(channel / 3, 7);
  }
  const int shape = static_cast<int>(noise(static_cast<uint32_t>(at)) % 12);
  const bool is_changed = at % 5 == 0 && channel % 9 == 8;
  return shape < 4 && channel > 1 ? 0 : (random(1000 + shape) >> std::min(channel / 4, 6)) + is_changed;
}

std::vector<int8_t> golden_latents() {
  std::vector<int8_t> latents;
  for (int channel = 0; channel < kChannels; ++channel) {
    for (int i = 0; i < kTiles * 64; ++i)
      latents.push_back(static_cast<int8_t>(golden_latent(channel, i / 64, i % 64)));
  }
  return latents;
}

TEST(StreamGolden, LatentsMakeTheGoldenBytes) {
  const std::vector<int8_t> latents = golden_latents();
  Piece stream;
  LatentCoder coder;
  coder.encode(latents, kChannels, stream);
  const Piece bytes(latents.begin(), latents.end());
  if (std::getenv("LATENTDESK_WRITE_GOLDEN")) write_pieces("latents.bin", {stream, bytes});
  const std::vector<Piece> golden = read_pieces("latents.bin");
  ASSERT_EQ(golden.size(), 2u);
  EXPECT_TRUE(golden[0] == stream);
  EXPECT_TRUE(golden[1] == bytes);
  std::vector<int8_t> restored(latents.size());
  coder.decode(golden[0], kChannels, restored);
  EXPECT_TRUE(restored == latents);
}

}  // namespace
}  // namespace latentdesk
