#include "common/stream/operations.h"

#include <limits>
#include <string>

namespace latentdesk {

namespace {

using Kind = Operation::Kind;

constexpr unsigned kKindBits = 3, kFormBits = 2;
constexpr unsigned kDrawnBit = 1u << (kKindBits + kFormBits);
enum MaskForm : unsigned { kWholeForm, kRectForm, kFullForm };

bool has_mask(Kind kind) { return kind != Kind::copy && kind != Kind::store; }

class Writer {
 public:
  explicit Writer(std::vector<uint8_t>& out) : out_(out) {}

  void byte(unsigned value) { out_.push_back(static_cast<uint8_t>(value)); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<unsigned>(value & 0x7f) | 0x80u);
    byte(static_cast<unsigned>(value));
  }
  void signed_varint(int64_t value) {
    varint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }
  void little_endian(uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) byte(static_cast<unsigned>(value >> (8 * i) & 0xff));
  }

 private:
  std::vector<uint8_t>& out_;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  bool done() const { return next_ == bytes_.size(); }
  unsigned byte() {
    if (done()) throw ProtocolError("operations are truncated");
    return bytes_[next_++];
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      const unsigned part = byte();
      value |= uint64_t{part & 0x7f} << shift;
      if ((part & 0x80) == 0) return value;
    }
    throw ProtocolError("a number in the operations is too long");
  }
  int64_t signed_varint() {
    const uint64_t value = varint();
    return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
  }
  uint64_t little_endian(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= uint64_t{byte()} << (8 * i);
    return value;
  }

 private:
  ByteView bytes_;
  size_t next_ = 0;
};

struct BlockRect {
  int x, y, width, height;
};

/// The rectangle that a mask is, or one of width 0.
BlockRect as_rectangle(BlockMask mask) {
  const int y = std::countr_zero(mask) / kBlocksPerSide;
  const unsigned row = block_row(mask, y);
  const int x = std::countr_zero(row);
  const int width = std::countr_one(row >> x);
  int height = 1;
  while (y + height < kBlocksPerSide && block_row(mask, y + height) == row) ++height;
  const bool is_rectangle = mask == block_rect(x, y, x + width, y + height);
  return {x, y, is_rectangle ? width : 0, height};
}

void append_mask(Writer& writer, MaskForm form, BlockMask mask) {
  if (form == kFullForm) writer.little_endian(mask, 8);
  if (form != kRectForm) return;
  const BlockRect r = as_rectangle(mask);
  writer.little_endian(static_cast<uint64_t>(r.x | r.y << 3 | (r.width - 1) << 6 | (r.height - 1) << 9), 2);
}

BlockMask read_mask(Reader& reader, unsigned form) {
  if (form == kWholeForm) return kWholeTile;
  if (form == kFullForm) return reader.little_endian(8);
  const auto bits = static_cast<int>(reader.little_endian(2));
  const int x = bits & 7, y = bits >> 3 & 7, width = (bits >> 6 & 7) + 1, height = (bits >> 9 & 7) + 1;
  if (bits >> 12 != 0 || x + width > kBlocksPerSide || y + height > kBlocksPerSide) {
    throw ProtocolError("a mask leaves its tile");
  }
  return block_rect(x, y, x + width, y + height);
}

void append_copy(Writer& writer, const Operation& operation) {
  for (const int value : {operation.to.x, operation.to.y, operation.to.width, operation.to.height}) {
    writer.varint(static_cast<uint64_t>(value));
  }
  writer.signed_varint(operation.dx);
  writer.signed_varint(operation.dy);
}

bool contains(const Rect& outer, const Rect& inner) {
  return inner.x >= 0 && inner.y >= 0 && inner.right() <= outer.right() && inner.bottom() <= outer.bottom();
}

int coordinate(int64_t value) {
  if (value < -kMaxSide || value > kMaxSide) throw ProtocolError("a copy leaves the screen");
  return static_cast<int>(value);
}

void read_copy(Reader& reader, const TileGrid& grid, Operation& operation) {
  for (int* value : {&operation.to.x, &operation.to.y, &operation.to.width, &operation.to.height}) {
    *value = coordinate(static_cast<int64_t>(reader.varint()));
  }
  operation.dx = coordinate(reader.signed_varint());
  operation.dy = coordinate(reader.signed_varint());
  if (operation.to.empty() || !contains(grid.bounds(), operation.to) ||
      !contains(grid.bounds(), operation.from())) {
    throw ProtocolError("a copy leaves the screen");
  }
}

uint32_t read_tile(Reader& reader, uint32_t before, const TileGrid& grid) {
  const int64_t tile = int64_t{before} + reader.signed_varint();
  if (tile < 0 || static_cast<uint64_t>(tile) >= grid.tiles()) throw ProtocolError("there is no such tile");
  return static_cast<uint32_t>(tile);
}

uint32_t read_slot(Reader& reader, uint32_t slots) {
  const uint64_t slot = reader.varint();
  if (slot >= slots) throw ProtocolError("there is no such slot");
  return static_cast<uint32_t>(slot);
}

uint8_t read_error(Reader& reader) {
  const unsigned error = reader.byte();
  if (error > kMaxPixelError) throw ProtocolError("pixels have too large an error");
  return static_cast<uint8_t>(error);
}

}  // namespace

void append_operations(std::span<const Operation> operations, std::vector<uint8_t>& out) {
  Writer writer(out);
  uint32_t tile = 0;
  for (const Operation& operation : operations) {
    MaskForm form = kWholeForm;
    if (has_mask(operation.kind) && operation.mask != kWholeTile) {
      form = as_rectangle(operation.mask).width > 0 ? kRectForm : kFullForm;
    }
    writer.byte(static_cast<unsigned>(operation.kind) | form << kKindBits |
                (operation.drawn ? kDrawnBit : 0));
    if (operation.kind == Kind::copy) {
      append_copy(writer, operation);
      continue;
    }
    writer.signed_varint(int64_t{operation.tile} - int64_t{tile});
    tile = operation.tile;
    append_mask(writer, form, operation.mask);
    if (operation.kind == Kind::store || operation.kind == Kind::recall) writer.varint(operation.slot);
    if (operation.kind == Kind::palette) writer.byte(operation.colours - 1u);
    if (operation.kind == Kind::pixels) writer.byte(operation.error);
  }
}

void parse_operations(ByteView bytes, const TileGrid& grid, uint32_t slots, std::vector<Operation>& out) {
  out.clear();
  Reader reader(bytes);
  uint32_t tile = 0;
  Kind phase = Kind::store;
  while (!reader.done()) {
    const unsigned head = reader.byte();
    const unsigned kind = head & ((1u << kKindBits) - 1), form = (head & ~kDrawnBit) >> kKindBits;
    Operation& operation = out.emplace_back();
    operation.kind = static_cast<Kind>(kind);
    if (kind > static_cast<unsigned>(Kind::latents)) throw ProtocolError("unknown operation");
    operation.drawn = (head & kDrawnBit) != 0;
    if (operation.drawn && operation.kind != Kind::latents)
      throw ProtocolError("only latents can be of something drawn");
    if (form > (has_mask(operation.kind) ? kFullForm : kWholeForm)) throw ProtocolError("unknown mask form");
    // Content may come in any order, but not before what reads the canvas or restores it.
    if (std::min(operation.kind, Kind::solid) < phase) throw ProtocolError("operations are out of order");
    phase = std::min(operation.kind, Kind::solid);
    if (operation.kind == Kind::copy) {
      read_copy(reader, grid, operation);
      continue;
    }
    operation.tile = tile = read_tile(reader, tile, grid);
    operation.mask = read_mask(reader, form);
    if (operation.kind == Kind::store || operation.kind == Kind::recall)
      operation.slot = read_slot(reader, slots);
    if (operation.kind == Kind::palette) operation.colours = static_cast<uint16_t>(reader.byte() + 1);
    if (operation.kind == Kind::pixels) operation.error = read_error(reader);
  }
}

}  // namespace latentdesk
