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
  if (header.sizes[static_cast<size_t>(Part::latents)] > 0) header.scale = scale_field(object);
  const auto streams =
      static_cast<size_t>(std::count_if(sizes.begin(), sizes.end(), [](size_t s) { return s > 0; }));
  if (header.packed.size() != streams && header.packed.size() != std::min<size_t>(streams, 1)) {
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
  if (header.sizes[static_cast<size_t>(Part::latents)] > 0) object["scale"] = header.scale;
  return message_prefix(object);
}

void check_part_sizes(const UpdateHeader& header, const TileGrid& grid, int latent_channels, size_t payload) {
  const size_t tiles = grid.tiles();
  constexpr size_t kTilePixels = size_t{kTileSide} * kTileSide;
  // A tile may be sent in a few pieces, none of which has more than its pixels.
  const PartSizes limits = {tiles * 256 + 65536, tiles * kTilePixels * 3, tiles * kTilePixels,
                            tiles * kTilePixels * 3,
                            tiles * kTileLatentSide * kTileLatentSide * static_cast<size_t>(latent_channels)};
  for (size_t i = 0; i < kParts; ++i) {
    if (header.sizes[i] > limits[i]) throw ProtocolError("a part is larger than the screen can need");
  }
  if (header.sizes[static_cast<size_t>(Part::exact)] % 3 != 0)
    throw ProtocolError("planes are not of one length");
  if (total(header.packed) != payload) throw ProtocolError("packed does not belong to the payload");
  check_inflated_size(total(header.sizes), payload);
}

void UpdateParts::clear() {
  operations.clear();
  colours.clear();
  indices.clear();
  for (auto& plane : exact) plane.clear();
  latents.clear();
}

PartSizes UpdateParts::sizes() const {
  return {operations.size(), colours.size(), indices.size(), exact[0].size() * 3, latents.size()};
}

void UpdatePacker::pack(const UpdateParts& parts, UpdateHeader& header, std::vector<uint8_t>& payload) {
  header.sizes = parts.sizes();
  header.packed.clear();
  joined_.clear();
  const auto join = [this](const auto& bytes) { joined_.insert(joined_.end(), bytes.begin(), bytes.end()); };
  if (total(header.sizes) <= kJoinBytes) {
    join(parts.operations);
    join(parts.colours);
    join(parts.indices);
    for (const auto& plane : parts.exact) join(plane);
    join(parts.latents);
    return pack_part(joined_, Compression::thorough, header, payload);
  }
  const auto search = [](size_t bytes) {
    return bytes <= kThoroughBytes ? Compression::thorough : Compression::quick;
  };
  pack_part(parts.operations, Compression::thorough, header, payload);
  pack_part(parts.colours, search(parts.colours.size()), header, payload);
  pack_part(parts.indices, search(parts.indices.size()), header, payload);
  for (const auto& plane : parts.exact) join(plane);
  pack_part(joined_, Compression::residuals, header, payload);
  const auto* latents = reinterpret_cast<const uint8_t*>(parts.latents.data());
  pack_part({latents, parts.latents.size()}, Compression::runs, header, payload);
}

void UpdatePacker::pack_part(std::span<const uint8_t> part, Compression compression, UpdateHeader& header,
                             std::vector<uint8_t>& payload) {
  if (part.empty()) return;
  deflater_.deflate(part, compression, packed_);
  payload.insert(payload.end(), packed_.begin(), packed_.end());
  header.packed.push_back(packed_.size());
}

void UpdateUnpacker::unpack(const UpdateHeader& header, ByteView payload) {
  sizes_ = header.sizes;
  bytes_.resize(total(sizes_));
  std::span<uint8_t> out(bytes_);
  if (header.packed.size() == 1) return inflater_.inflate(payload, out);
  size_t stream = 0;
  for (const size_t size : sizes_) {
    if (size == 0) continue;
    const size_t packed = header.packed[stream++];
    inflater_.inflate(payload.first(packed), out.first(size));
    payload = payload.subspan(packed);
    out = out.subspan(size);
  }
}

ByteView UpdateUnpacker::part(Part part) const {
  const auto index = static_cast<size_t>(part);
  return ByteView(bytes_).subspan(total(std::span(sizes_).first(index)), sizes_[index]);
}

}  // namespace latentdesk
