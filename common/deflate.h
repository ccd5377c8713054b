#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace latentdesk {

/// How DEFLATE looks for repetition.
enum class Compression {
  runs,      ///< of one byte alone: on planar latents smaller than a full search, and several times faster
  quick,     ///< a short search
  full,      ///< a search that ends where it hardly pays
  thorough,  ///< for every byte that can be found
};

/// Compresses buffers into zlib streams (RFC 1950) that stand alone. Memory is reused between calls. One
/// thread uses it.
class Deflater {
 public:
  Deflater();
  ~Deflater();

  /// The stream replaces what is in `out`, whose capacity grows to the worst case of the largest input and is
  /// kept.
  void deflate(std::span<const uint8_t> in, Compression compression, std::vector<uint8_t>& out);
  /// Latents, by `runs`.
  void deflate(std::span<const int8_t> in, std::vector<uint8_t>& out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

/// DEFLATE yields at most 1032 bytes for each of its own. Throws ProtocolError when `inflated` bytes cannot
/// come from `packed`, before memory is taken for them.
void check_inflated_size(size_t inflated, size_t packed);

/// Inflates zlib streams whose inflated size is known. Memory is reused between calls. One thread uses it.
class Inflater {
 public:
  Inflater();
  ~Inflater();

  /// Fills `out` exactly. Throws ProtocolError when the stream is damaged, is shorter or longer than `out`,
  /// or is followed by further bytes; what `out` holds is then undefined.
  void inflate(std::span<const uint8_t> in, std::span<uint8_t> out);
  void inflate(std::span<const uint8_t> in, std::span<int8_t> out);

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace latentdesk
