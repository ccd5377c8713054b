#pragma once

#include "common/protocol.h"
#include "common/stream/exact.h"
#include "common/stream/tiles.h"

#include <cstdint>
#include <span>
#include <vector>

// What an update does to a viewer's canvas, as bytes (docs/protocol.md is the norm). Each operation begins
// with one byte: bits 0 to 2 its kind, bits 3 and 4 the form of its mask, bit 5 of latents whether they are
// of something drawn; the others are 0.
//
//   copy     varint x, y, width, height; signed varint dx, dy     the canvas at (x + dx, y + dy) goes to (x,
//   y) store    tile; varint slot                                    the tile as it was before the update
//   recall   tile, mask; varint slot                              pixels of a stored tile
//   solid    tile, mask                                           one colour
//   palette  tile, mask; byte colours - 1                         colours, and indices if more than one
//   pixels   tile, mask; byte error                               pixels, none further from the original
//   latents  tile, mask                                           the decoder's output
//
// tile: signed varint, minus the tile of the operation before. mask: form 0 whole tile; form 1 a rectangle of
// blocks, 16 bits little-endian: x, y, width - 1, height - 1, three bits each from the lowest; form 2 64 bits
// little-endian, bit y * 8 + x. varint: 7 bits a byte, lowest first, high bit set but in the last; signed
// ones are zigzag (0, -1, 1, -2, ...).

namespace latentdesk {

struct Operation {
  enum class Kind : uint8_t { store, copy, recall, solid, palette, pixels, latents };

  Kind kind = Kind::solid;
  uint32_t tile = 0;            ///< of all but copy
  BlockMask mask = kWholeTile;  ///< of all but copy and store; blocks beyond the screen count for nothing
  uint32_t slot = 0;            ///< of store and recall
  uint8_t error = 0;            ///< of pixels: up to kMaxPixelError
  uint16_t colours = 0;         ///< of palette: 1 to 256
  bool drawn = false;           ///< of latents: by programs, with flat areas and edges; see Restoration
  Rect to = {};                 ///< of copy
  int dx = 0;                   ///< of copy: its source is `to` moved by (dx, dy)
  int dy = 0;
  bool lossy = false;  ///< of content: pixels may differ from the original. Does not travel.

  bool operator==(const Operation&) const = default;
  Rect from() const { return {to.x + dx, to.y + dy, to.width, to.height}; }
};

/// Slots for stored tiles that a viewer may offer at most.
inline constexpr uint32_t kMaxSlots = 1u << 16;

void append_operations(std::span<const Operation> operations, std::vector<uint8_t>& out);

/// Parses all of `bytes`. Throws ProtocolError unless every operation lies within the screen, slots are below
/// `slots`, and kinds come in the order of Operation::Kind: what reads the old canvas comes first.
void parse_operations(ByteView bytes, const TileGrid& grid, uint32_t slots, std::vector<Operation>& out);

}  // namespace latentdesk
