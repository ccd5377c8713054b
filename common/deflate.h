#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace latentdesk {

/// Compresses buffers into zlib streams (RFC 1950) that stand alone. Strategy Z_RLE: on planar latents it is
/// smaller than the default and several times faster. Memory is reused between calls. One thread uses it.
class Deflater {
 public:
  Deflater();
  ~Deflater();

  /// The stream replaces what is in `out`, whose capacity grows to the worst case of the largest input and is
  /// kept.
  void deflate(std::span<const int8_t> in, std::vector<uint8_t>& out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

/// Inflates zlib streams whose inflated size is known. Memory is reused between calls. One thread uses it.
class Inflater {
 public:
  Inflater();
  ~Inflater();

  /// Fills `out` exactly. Throws ProtocolError when the stream is damaged, is shorter or longer than `out`,
  /// or is followed by further bytes; what `out` holds is then undefined.
  void inflate(std::span<const uint8_t> in, std::span<int8_t> out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace latentdesk
