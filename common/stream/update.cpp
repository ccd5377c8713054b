#include "common/stream/update.h"

#include "common/json.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace latentdesk {

namespace {

using nlohmann::json;

// Below this, one stream for all parts is smaller than one for each.
constexpr size_t kJoinBytes = 4096;
// The range coders come after zlib, and the viewer waits for both: not all of the frame is for zlib.
constexpr double kShareOfFrame = 0.5;
// What is late already is not made much later by this, and larger by a third without it.
constexpr double kLeastShareOfFrame = 0.125;

std::vector<size_t> sizes_field(const json& object, const char* name) {
  const json& value = field(object, name);
  if (!value.is_array() || value.size() > kParts)
    throw ProtocolError(std::string(name) + " is not a short array");
  std::vector<size_t> sizes;
  for (const json& element : value) {
    if (!element.is_number_unsigned()) throw ProtocolError(std::string(name) + " holds what is no size");
    sizes.push_back(element.get<size_t>());
    if (sizes.back() > kMaxUpdateBytes * 4)
      throw ProtocolError(std::string(name) + " holds too large a size");
  }
  return sizes;
}

constexpr auto kResiduals = static_cast<size_t>(Part::residuals),
               kLatents = static_cast<size_t>(Part::latents);

size_t total(std::span<const size_t> sizes) { return std::accumulate(sizes.begin(), sizes.end(), size_t{0}); }

size_t not_empty(std::span<const size_t> sizes) {
  return sizes.size() - static_cast<size_t>(std::count(sizes.begin(), sizes.end(), size_t{0}));
}

std::span<const size_t> zlib_sizes(const UpdateHeader& header) {
  return std::span(header.sizes).first(kZlibParts);
}

}  // namespace

UpdateHeader parse_update_header(std::string_view text) {
  const json object = parse_object(text);
  UpdateHeader header;
  header.number = unsigned_field(object, "number");
  header.time_ms = static_cast<int64_t>(number_field(object, "time", -1e15, 1e15));
  const std::vector<size_t> sizes = sizes_field(object, "sizes");
  std::copy(sizes.begin(), sizes.end(), header.sizes.begin());
  header.packed = sizes_field(object, "packed");
  if (header.sizes[kLatents] > 0) header.scale = scale_field(object);
  const size_t zlib = not_empty(zlib_sizes(header)), coded = not_empty(header.sizes) - zlib;
  if (header.packed.size() != coded + zlib && header.packed.size() != coded + std::min<size_t>(zlib, 1)) {
    throw ProtocolError("packed does not belong to sizes");
  }
  return header;
}

std::string serialize_update_prefix(const UpdateHeader& header) {
  size_t used = kParts;
  while (used > 0 && header.sizes[used - 1] == 0) --used;
  json object = {
      {"type", "update"},
      {"number", header.number},
      {"time", header.time_ms},
      {"sizes", std::vector<size_t>(header.sizes.begin(), header.sizes.begin() + static_cast<long>(used))},
      {"packed", header.packed}};
  if (header.sizes[kLatents] > 0) object["scale"] = header.scale;
  return message_prefix(object);
}

void check_part_sizes(const UpdateHeader& header, const TileGrid& grid, int latent_channels, size_t payload) {
  const size_t tiles = grid.tiles();
  const size_t tile_latents =
      size_t{kTileLatentSide} * kTileLatentSide * static_cast<size_t>(latent_channels);
  // A tile may be sent in a few pieces, none of which has more than its pixels.
  const PartSizes limits = {tiles * 256 + 65536, tiles * kTilePixels * 3, tiles * kTilePixels,
                            tiles * kTilePixels * 3, tiles * tile_latents};
  for (size_t i = 0; i < kParts; ++i) {
    if (header.sizes[i] > limits[i]) throw ProtocolError("a part is larger than the screen can need");
  }
  if (header.sizes[kResiduals] % 3 != 0) throw ProtocolError("planes are not of one length");
  if (header.sizes[kLatents] % tile_latents != 0) throw ProtocolError("latents are not those of whole tiles");
  if (total(header.packed) != payload) throw ProtocolError("packed does not belong to the payload");
  check_inflated_size(total(zlib_sizes(header)), payload);
}

void UpdateParts::clear() {
  operations.clear();
  colours.clear();
  indices.clear();
  for (auto& plane : residuals) plane.clear();
  pixel_areas.clear();
  latents.clear();
}

PartSizes UpdateParts::sizes() const {
  return {operations.size(), colours.size(), indices.size(), residuals[0].size() * 3, latents.size()};
}

void UpdatePacker::pack(const UpdateParts& parts, UpdateHeader& header, std::vector<uint8_t>& payload,
                        const FrameTime& frame) {
  header.sizes = parts.sizes();
  header.packed.clear();
  pack_zlib_parts(parts, header, payload, frame);
  size_t begin = payload.size();
  const auto end_stream = [&] {
    header.packed.push_back(payload.size() - begin);
    begin = payload.size();
  };
  if (header.sizes[kResiduals] > 0) {
    pack_residuals(parts, payload);
    end_stream();
  }
  if (header.sizes[kLatents] > 0) {
    latent_coder_.encode(parts.latents, parts.latent_channels, payload);
    end_stream();
  }
}

void UpdatePacker::pack_zlib_parts(const UpdateParts& parts, UpdateHeader& header,
                                   std::vector<uint8_t>& payload, const FrameTime& frame) {
  const std::array<const std::vector<uint8_t>*, kZlibParts> zlib{&parts.operations, &parts.colours,
                                                                 &parts.indices};
  if (total(zlib_sizes(header)) <= kJoinBytes) {
    joined_.clear();
    for (const auto* part : zlib) joined_.insert(joined_.end(), part->begin(), part->end());
    return pack_part(joined_, frame, header, payload);
  }
  for (const auto* part : zlib) pack_part(*part, frame, header, payload);
}

void UpdatePacker::pack_residuals(const UpdateParts& parts, std::vector<uint8_t>& payload) {
  const ResidualPlanes& planes = parts.residuals;
  RangeEncoder coder(payload);
  residual_coder_.begin();
  size_t at = 0;
  for (const PixelArea& area : parts.pixel_areas) {
    const auto here = [&](size_t plane) { return planes[plane].data() + at; };
    residual_coder_.encode(coder, area.tile, area.mask, {here(0), here(1), here(2)});
    at += pixels_in(area.tile, area.mask);
  }
  assert(at == planes[0].size());
  coder.finish();
}

void UpdatePacker::pack_part(std::span<const uint8_t> part, const FrameTime& frame, UpdateHeader& header,
                             std::vector<uint8_t>& payload) {
  if (part.empty()) return;
  const double left = frame.left_ms();
  const Compression compression =
      pace_.choose(part.size(), std::max(kShareOfFrame * left, kLeastShareOfFrame * frame.length_ms()));
  deflater_.deflate(part, compression, packed_);
  if (frame.passes()) pace_.took(compression, part.size(), left - frame.left_ms());
  payload.insert(payload.end(), packed_.begin(), packed_.end());
  header.packed.push_back(packed_.size());
}

void UpdateUnpacker::unpack(const UpdateHeader& header, ByteView payload) {
  const std::span<const size_t> zlib = zlib_sizes(header);
  bytes_.resize(total(zlib));
  size_t stream = 0;
  const auto next = [&] {
    const ByteView packed = payload.first(header.packed[stream++]);
    payload = payload.subspan(packed.size());
    return packed;
  };
  const bool joined = header.packed.size() == 1 + not_empty(header.sizes) - not_empty(zlib);
  std::span<uint8_t> out(bytes_);
  if (joined && !out.empty()) inflater_.inflate(next(), out);
  for (size_t i = 0; i < kParts; ++i) {
    if (i >= kZlibParts) {
      parts_[i] = header.sizes[i] > 0 ? next() : ByteView();
      continue;
    }
    const std::span<uint8_t> part = out.first(zlib[i]);
    if (!joined && !part.empty()) inflater_.inflate(next(), part);
    parts_[i] = part;
    out = out.subspan(part.size());
  }
}

}  // namespace latentdesk
