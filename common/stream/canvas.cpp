#include "common/stream/canvas.h"

#include "common/clock.h"
#include "common/stream/palette.h"

#include <cstring>

namespace latentdesk {

namespace {

using Kind = Operation::Kind;

constexpr size_t kTileBytes = size_t{kTileSide} * kTileSide * kBytesPerPixel;
constexpr size_t kTileStride = size_t{kTileSide} * kBytesPerPixel;
constexpr uint32_t kOpaque = 0xff000000u;

void copy_pixels(ImageView from, BlockMask mask, MutableImageView to) {
  for_each_run(to.size, mask, [&](int x, int y, int count) {
    std::memcpy(to.row(y) + x * kBytesPerPixel, from.row(y) + x * kBytesPerPixel,
                static_cast<size_t>(count) * kBytesPerPixel);
  });
}

uint8_t* set_pixel(uint8_t* at, uint32_t pixel) {
  std::memcpy(at, &pixel, sizeof pixel);
  return at + kBytesPerPixel;
}

}  // namespace

/// The parts of an update, eaten from the front.
class Canvas::Content {
 public:
  Content(const UpdateHeader& header, const UpdateUnpacker& unpacker)
      : colours_(unpacker.part(Part::colours)),
        indices_(unpacker.part(Part::indices)),
        residuals_(unpacker.part(Part::residuals)),
        residual_pixels_(header.sizes[static_cast<size_t>(Part::residuals)] / 3) {}

  uint32_t colour() {
    const ByteView bgr = take(colours_, 3, "colours");
    return kOpaque | uint32_t{bgr[2]} << 16 | uint32_t{bgr[1]} << 8 | bgr[0];
  }

  ByteView indices(size_t bytes) { return take(indices_, bytes, "indices"); }

  RangeDecoder& residuals(size_t pixels) {
    if (pixels > residual_pixels_)
      throw ProtocolError("the update has fewer residuals than its operations need");
    residual_pixels_ -= pixels;
    residuals_.check();
    return residuals_;
  }

  void expect_end() const {
    if (!colours_.empty() || !indices_.empty() || residual_pixels_ != 0) {
      throw ProtocolError("the update has more content than its operations need");
    }
    if (has_residuals_) residuals_.finish();
  }

 private:
  static ByteView take(ByteView& from, size_t bytes, const char* what) {
    if (bytes > from.size()) {
      throw ProtocolError(std::string("the update has fewer ") + what + " than its operations need");
    }
    const ByteView taken = from.first(bytes);
    from = from.subspan(bytes);
    return taken;
  }

  ByteView colours_;
  ByteView indices_;
  RangeDecoder residuals_;
  size_t residual_pixels_ = 0;
  bool has_residuals_ = residual_pixels_ > 0;
};

Canvas::Canvas(std::unique_ptr<Decoder> decoder, int latent_channels, uint32_t slots)
    : decoder_(std::move(decoder)), latent_channels_(latent_channels), slots_(slots) {}

void Canvas::reset(Size size) {
  grid_ = TileGrid(size);
  picture_.resize(size);
  std::fill_n(picture_.data(), picture_.bytes(), uint8_t{0});
  for (auto& slot : slots_) slot.reset();
  number_ = 0;
}

void Canvas::apply(const UpdateHeader& header, ByteView payload) {
  if (header.number < number_) throw ProtocolError("the update is older than the picture");
  check_part_sizes(header, grid_, latent_channels_, payload.size());
  const auto start = SteadyClock::now();
  unpacker_.unpack(header, payload);
  const auto unpacked = SteadyClock::now();
  parse_operations(unpacker_.part(Part::operations), grid_, static_cast<uint32_t>(slots_.size()),
                   operations_);

  for (const Operation& operation : operations_) {
    if (operation.kind == Kind::store) store(operation);
  }
  copy_all();
  Content content(header, unpacker_);
  residual_coder_.begin();
  latent_tiles_.clear();
  for (const Operation& operation : operations_) draw(operation, content);
  content.expect_end();
  decode_latents(header);
  number_ = header.number;
  unpack_ms_ = milliseconds(unpacked - start);
  decode_ms_ = milliseconds_since(unpacked);
}

void Canvas::store(const Operation& operation) {
  auto& slot = slots_[operation.slot];
  if (!slot) slot = std::make_unique<StoredTile>();
  const MutableImageView tile = tile_view(operation.tile);
  copy_pixels(tile, kWholeTile, {slot->data(), tile.size, kTileStride});
}

void Canvas::copy_all() {
  // Every copy reads the picture as it was before, so all sources are put by first.
  size_t bytes = 0;
  const auto count = [&](const Operation& copy) {
    bytes += Size{copy.to.width, copy.to.height}.pixels() * kBytesPerPixel;
    if (bytes > picture_.bytes()) throw ProtocolError("copies are larger than the screen");
  };
  const auto for_each_copy = [this](const auto& visit) {
    for (const Operation& operation : operations_) {
      if (operation.kind == Kind::copy) visit(operation);
    }
  };
  for_each_copy(count);
  copied_.resize(bytes);
  uint8_t* next = copied_.data();
  const auto move_rows = [&next](const MutableImageView& view, bool out) {
    const size_t row_bytes = static_cast<size_t>(view.size.width) * kBytesPerPixel;
    for (int y = 0; y < view.size.height; ++y, next += row_bytes) {
      std::memcpy(out ? next : view.row(y), out ? view.row(y) : next, row_bytes);
    }
  };
  for_each_copy([&](const Operation& copy) { move_rows(part(picture_.view(), copy.from()), true); });
  next = copied_.data();
  for_each_copy([&](const Operation& copy) { move_rows(part(picture_.view(), copy.to), false); });
}

void Canvas::recall(const Operation& operation) {
  const auto& slot = slots_[operation.slot];
  if (!slot) throw ProtocolError("nothing is stored in that slot");
  const MutableImageView tile = tile_view(operation.tile);
  copy_pixels({slot->data(), tile.size, kTileStride}, operation.mask, tile);
}

void Canvas::draw(const Operation& operation, Content& content) {
  if (operation.kind == Kind::recall) return recall(operation);
  if (operation.kind == Kind::solid || operation.kind == Kind::palette)
    return draw_palette(operation, content);
  if (operation.kind == Kind::pixels) draw_pixels(operation, content);
  if (operation.kind == Kind::latents) latent_tiles_.push_back(&operation);
}

void Canvas::draw_palette(const Operation& operation, Content& content) {
  const MutableImageView tile = tile_view(operation.tile);
  const size_t colours = operation.kind == Kind::solid ? 1 : operation.colours;
  std::array<uint32_t, kMaxPaletteColours> palette;
  for (size_t i = 0; i < colours; ++i) palette[i] = content.colour();
  const int bits = index_bits(colours);
  const ByteView packed = content.indices(packed_index_bytes(pixels_in(tile.size, operation.mask), colours));
  size_t i = 0;
  for_each_run(tile.size, operation.mask, [&](int x, int y, int count) {
    uint8_t* pixel = tile.row(y) + x * kBytesPerPixel;
    for (const size_t end = i + static_cast<size_t>(count); i < end; ++i) {
      const unsigned index = packed_index(packed.data(), bits, i);
      if (index >= colours) throw ProtocolError("an index is beyond its palette");
      pixel = set_pixel(pixel, palette[index]);
    }
  });
}

void Canvas::draw_pixels(const Operation& operation, Content& content) {
  const MutableImageView tile = tile_view(operation.tile);
  RangeDecoder& coded = content.residuals(pixels_in(tile.size, operation.mask));
  auto& [green, red, blue] = residuals_;
  residual_coder_.decode(coded, tile.size, operation.mask, {green.data(), red.data(), blue.data()});
  restore_pixels({green.data(), red.data(), blue.data()}, operation.mask, operation.error, tile);
}

void Canvas::decode_latents(const UpdateHeader& header) {
  latents_.scale = header.scale;
  latents_.resize(tile_latent_shape(static_cast<int>(latent_tiles_.size()), latent_channels_));
  if (header.sizes[static_cast<size_t>(Part::latents)] != latents_.values.size())
    throw ProtocolError("latents do not belong to the operations");
  if (latent_tiles_.empty()) return;
  latent_coder_.decode(unpacker_.part(Part::latents), latent_channels_, latents_.values);
  outputs_.clear();
  decoded_.resize(latent_tiles_.size() * kTileBytes);
  for (const Operation* operation : latent_tiles_) {
    const MutableImageView tile = tile_view(operation->tile);
    uint8_t* decoded = decoded_.data() + outputs_.size() * kTileBytes;
    const bool whole = operation->mask == kWholeTile;
    outputs_.push_back(whole ? tile : MutableImageView{decoded, tile.size, kTileStride});
  }
  decoder_->decode_tiles(latents_, outputs_);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Operation& operation = *latent_tiles_[i];
    if (operation.mask != kWholeTile) copy_pixels(outputs_[i], operation.mask, tile_view(operation.tile));
  }
  restore_latents(header.scale);
}

void Canvas::restore_latents(float scale) {
  restoration_.begin(grid_.size());
  for (const Operation* operation : latent_tiles_) {
    const Rect tile = grid_.rect(operation->tile);
    const auto kind = operation->drawn ? Restoration::Kind::drawn : Restoration::Kind::natural;
    const int column = tile.x / kBlockSide, row = tile.y / kBlockSide;
    for_each_block(operation->mask, [&](int x, int y) { restoration_.mark(column + x, row + y, kind); });
  }
  restoration_.restore(picture_.view(), scale);
}

}  // namespace latentdesk
