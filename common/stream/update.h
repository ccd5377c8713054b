#pragma once

#include "common/deflate.h"
#include "common/protocol.h"
#include "common/stream/exact.h"
#include "common/stream/latent_coding.h"
#include "common/stream/operations.h"
#include "common/stream/packing_pace.h"
#include "common/stream/residual_coding.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// An update of latentdesk.2: `u32 header length | JSON header | payload`. The header:
//
//   type     "update"
//   number   of the state that the update brings the viewer to
//   time     capture time in milliseconds since the Unix epoch
//   sizes    bytes of the parts before compression, in the order of Part; trailing zeros are left out
//   packed   bytes of the streams in the payload: zlib, one for each of the first three parts that is not
//   empty,
//            or one for all of these; then those of the residuals and of the latents, by range coders
//   scale    of the latents, when there are any
//
// Parts: operations; colours, 3 bytes each (blue, green, red); packed palette indices; residuals of pixels,
// three planes of equal length; latents int8, [channel][tile][y][x], of the tiles whose operation is
// latents.

namespace latentdesk {

enum class Part : size_t { operations, colours, indices, residuals, latents };
inline constexpr size_t kParts = 5;
using PartSizes = std::array<size_t, kParts>;

/// Largest message of latentdesk.2 from the server. A whole 8K screen of noise has less.
inline constexpr size_t kMaxUpdateBytes = size_t{64} << 20;

struct UpdateHeader {
  uint64_t number = 0;
  int64_t time_ms = 0;
  float scale = 0;
  PartSizes sizes{};
  std::vector<size_t> packed;
};

/// Throws ProtocolError unless every field is of its type and the sizes fit together.
UpdateHeader parse_update_header(std::string_view json);

/// The length prefix and the JSON header.
std::string serialize_update_prefix(const UpdateHeader& header);

/// Throws ProtocolError when a part is larger than a screen of this size can need, before memory is taken.
void check_part_sizes(const UpdateHeader& header, const TileGrid& grid, int latent_channels, size_t payload);

/// The first of them are compressed by zlib, the others by range coders.
inline constexpr size_t kZlibParts = 3;

/// Pixels of a tile.
struct PixelArea {
  Size tile;
  BlockMask mask = 0;
};

/// What an update carries, uncompressed.
struct UpdateParts {
  std::vector<uint8_t> operations;
  std::vector<uint8_t> colours;
  std::vector<uint8_t> indices;
  ResidualPlanes residuals;
  std::vector<PixelArea> pixel_areas;  ///< that the residuals are of, in order
  std::vector<int8_t> latents;
  int latent_channels = 1;

  void clear();
  PartSizes sizes() const;
};

/// Compresses updates. Small ones become one stream, since each costs a few bytes; else each kind of content
/// is compressed as suits it. Keeps its memory; one thread uses it.
class UpdatePacker {
 public:
  /// Appends the streams to `payload` and fills header.sizes and header.packed, as small as can be made in
  /// half of what is left of the frame.
  void pack(const UpdateParts& parts, UpdateHeader& header, std::vector<uint8_t>& payload,
            const FrameTime& frame = FrameTime());

 private:
  void pack_zlib_parts(const UpdateParts& parts, UpdateHeader& header, std::vector<uint8_t>& payload,
                       const FrameTime& frame);
  void pack_residuals(const UpdateParts& parts, std::vector<uint8_t>& payload);
  void pack_part(std::span<const uint8_t> part, const FrameTime& frame, UpdateHeader& header,
                 std::vector<uint8_t>& payload);

  Deflater deflater_;
  PackingPace pace_;
  ResidualCoder residual_coder_;
  LatentCoder latent_coder_;
  std::vector<uint8_t> joined_;
  std::vector<uint8_t> packed_;
};

/// The reverse. Keeps its memory; one thread uses it.
class UpdateUnpacker {
 public:
  /// Unpacks the payload; sizes must have been checked. Throws ProtocolError. The view of a part is valid
  /// until the next call; residuals and latents are as the range coder left them, in `payload` itself.
  void unpack(const UpdateHeader& header, ByteView payload);
  ByteView part(Part part) const { return parts_[static_cast<size_t>(part)]; }

 private:
  Inflater inflater_;
  std::vector<uint8_t> bytes_;
  std::array<ByteView, kParts> parts_;
};

}  // namespace latentdesk
