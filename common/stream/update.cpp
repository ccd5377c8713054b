#include "common/stream/update.h"

#include "common/json.h"

#include <algorithm>
#include <numeric>

namespace latentdesk {

namespace {

using nlohmann::json;

// Below this, one stream for all parts is smaller than one for each.
constexpr size_t kJoinBytes = 4096;
// Beyond this, a full search takes longer than a frame has.
constexpr size_t kThoroughBytes = 256 * 1024;

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

constexpr auto kLatents = static_cast<size_t>(Part::latents);  // the last one

size_t total(std::span<const size_t> sizes) { return std::accumulate(sizes.begin(), sizes.end(), size_t{0}); }

}  // namespace

UpdateHeader parse_update_header(std::string_view text) {
  const json object = parse_object(text);
  UpdateHeader header;
  header.number = unsigned_field(object, "number");
  header.time_ms = static_cast<int64_t>(number_field(object, "time", -1e15, 1e15));
  const std::vector<size_t> sizes = sizes_field(object, "sizes");
  std::copy(sizes.begin(), sizes.end(), header.sizes.begin());
  header.packed = sizes_field(object, "packed");
  const size_t latents = header.sizes[kLatents] > 0 ? 1 : 0;
  if (latents > 0) header.scale = scale_field(object);
  const size_t streams =
      kParts - 1 - static_cast<size_t>(std::count(header.sizes.begin(), header.sizes.end() - 1, 0u));
  if (header.packed.size() != latents + streams &&
      header.packed.size() != latents + std::min<size_t>(streams, 1)) {
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
  constexpr size_t kTilePixels = size_t{kTileSide} * kTileSide;
  // A tile may be sent in a few pieces, none of which has more than its pixels.
  const PartSizes limits = {tiles * 256 + 65536, tiles * kTilePixels * 3, tiles * kTilePixels,
                            tiles * kTilePixels * 3, tiles * tile_latents};
  for (size_t i = 0; i < kParts; ++i) {
    if (header.sizes[i] > limits[i]) throw ProtocolError("a part is larger than the screen can need");
  }
  if (header.sizes[static_cast<size_t>(Part::residuals)] % 3 != 0)
    throw ProtocolError("planes are not of one length");
  if (header.sizes[kLatents] % tile_latents != 0) throw ProtocolError("latents are not those of whole tiles");
  if (total(header.packed) != payload) throw ProtocolError("packed does not belong to the payload");
  check_inflated_size(total(header.sizes) - header.sizes[kLatents], payload);
}

void UpdateParts::clear() {
  operations.clear();
  colours.clear();
  indices.clear();
  for (auto& plane : residuals) plane.clear();
  latents.clear();
}

PartSizes UpdateParts::sizes() const {
  return {operations.size(), colours.size(), indices.size(), residuals[0].size() * 3, latents.size()};
}

void UpdatePacker::pack(const UpdateParts& parts, UpdateHeader& header, std::vector<uint8_t>& payload) {
  header.sizes = parts.sizes();
  header.packed.clear();
  pack_exact_parts(parts, header, payload);
  if (parts.latents.empty()) return;
  const size_t begin = payload.size();
  latent_coder_.encode(parts.latents, parts.latent_channels, payload);
  header.packed.push_back(payload.size() - begin);
}

void UpdatePacker::pack_exact_parts(const UpdateParts& parts, UpdateHeader& header,
                                    std::vector<uint8_t>& payload) {
  joined_.clear();
  const auto join = [this](const auto& bytes) { joined_.insert(joined_.end(), bytes.begin(), bytes.end()); };
  const auto join_residuals = [&] {
    for (const auto& plane : parts.residuals) join(plane);
  };
  if (total(header.sizes) - header.sizes[kLatents] <= kJoinBytes) {
    join(parts.operations);
    join(parts.colours);
    join(parts.indices);
    join_residuals();
    return pack_part(joined_, Compression::thorough, header, payload);
  }
  const auto search = [](size_t bytes) {
    return bytes <= kThoroughBytes ? Compression::thorough : Compression::quick;
  };
  pack_part(parts.operations, Compression::thorough, header, payload);
  pack_part(parts.colours, search(parts.colours.size()), header, payload);
  pack_part(parts.indices, search(parts.indices.size()), header, payload);
  join_residuals();
  pack_part(joined_, Compression::residuals, header, payload);
}

void UpdatePacker::pack_part(std::span<const uint8_t> part, Compression compression, UpdateHeader& header,
                             std::vector<uint8_t>& payload) {
  if (part.empty()) return;
  deflater_.deflate(part, compression, packed_);
  payload.insert(payload.end(), packed_.begin(), packed_.end());
  header.packed.push_back(packed_.size());
}

void UpdateUnpacker::unpack(const UpdateHeader& header, int latent_channels, ByteView payload) {
  sizes_ = header.sizes;
  bytes_.resize(total(sizes_));
  std::span<uint8_t> out(bytes_);
  std::span<const size_t> packed(header.packed);
  const auto inflate = [&](size_t size) {
    inflater_.inflate(payload.first(packed.front()), out.first(size));
    payload = payload.subspan(packed.front());
    packed = packed.subspan(1);
    out = out.subspan(size);
  };
  const std::span<const size_t> exact = std::span(sizes_).first(kLatents);
  const size_t latents = sizes_[kLatents];
  if (packed.size() == (latents > 0 ? 2 : 1)) {
    inflate(total(exact));
  } else {
    for (const size_t size : exact) {
      if (size > 0) inflate(size);
    }
  }
  if (latents == 0) return;
  latent_coder_.decode(payload, latent_channels, {reinterpret_cast<int8_t*>(out.data()), latents});
}

ByteView UpdateUnpacker::part(Part part) const {
  const auto index = static_cast<size_t>(part);
  return ByteView(bytes_).subspan(total(std::span(sizes_).first(index)), sizes_[index]);
}

}  // namespace latentdesk
