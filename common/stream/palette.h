#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace latentdesk {

inline constexpr int kMaxPaletteColours = 256;

/// A colour as it lies in memory as a little-endian pixel, without the X byte: 0x00RRGGBB.
using Colour = uint32_t;
inline constexpr Colour kColourMask = 0x00ffffff;

/// The colours of a few thousand pixels, and for each pixel the index of its colour. Memory is kept from one
/// use to the next; one thread uses it.
class Palette {
 public:
  /// Counts the colours of `pixels`, whose X bytes are ignored. False when there are too many for merge().
  bool count(std::span<const uint32_t> pixels);
  /// Takes the colours that were counted, sorted by frequency; may be called again with another tolerance. A
  /// colour within `tolerance` of a more frequent one in every channel becomes that one; 0 keeps every
  /// colour. False when too many colours remain; what the palette holds is then undefined.
  bool merge(int tolerance);
  /// Both.
  bool build(std::span<const uint32_t> pixels, int tolerance) { return count(pixels) && merge(tolerance); }

  size_t distinct() const { return entries_.size(); }
  /// The number of each pixel's colour among those that were counted.
  std::span<const uint16_t> counted() const { return entry_of_; }
  std::span<const Colour> colours() const { return colours_; }
  std::span<const uint8_t> indices() const { return indices_; }
  /// Every pixel has kept its colour.
  bool is_exact() const { return squared_error_ == 0; }
  /// Of the three channels of all pixels.
  int64_t squared_error() const { return squared_error_; }

 private:
  struct Entry {
    Colour colour = 0;
    uint32_t count = 0;
  };
  static constexpr size_t kMaxDistinct =
      2048;                               ///< text smoothed by the colours of a pixel has over a thousand
  static constexpr size_t kSlots = 8192;  ///< of the hash table, a power of two above kMaxDistinct

  void sort();

  std::array<uint16_t, kSlots> slots_{};  ///< index into entries_ plus 1; 0 is free
  std::vector<Entry> entries_;            ///< distinct colours in order of appearance
  std::vector<uint16_t> order_;           ///< of entries_, most frequent first; empty until it is needed
  std::vector<uint8_t> index_of_;         ///< of each entry in colours_
  std::vector<uint16_t> entry_of_;        ///< of each pixel
  std::vector<Colour> colours_;
  std::vector<uint8_t> indices_;
  int64_t squared_error_ = 0;
};

/// Bits that an index takes: 0, 1, 2, 4 or 8.
int index_bits(size_t colours);

/// Appends `indices` in index_bits(colours) each, the first in the lowest bits; the last byte is filled with
/// 0.
void pack_indices(std::span<const uint8_t> indices, size_t colours, std::vector<uint8_t>& out);

/// Bytes that `count` indices take.
size_t packed_index_bytes(size_t count, size_t colours);

/// Index number `i` of packed ones; may be `colours` or more when the bytes come from a hostile peer.
inline unsigned packed_index(const uint8_t* packed, int bits, size_t i) {
  if (bits == 0) return 0;
  const size_t bit = i * static_cast<size_t>(bits);
  return (packed[bit / 8] >> (bit % 8)) & ((1u << bits) - 1);
}

}  // namespace latentdesk
