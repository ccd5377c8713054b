#include "common/stream/palette.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace latentdesk {

namespace {

/// Largest difference in any channel.
int distance(Colour a, Colour b) {
  int largest = 0;
  for (const int shift : {0, 8, 16}) {
    largest = std::max(largest,
                       std::abs(static_cast<int>(a >> shift & 0xff) - static_cast<int>(b >> shift & 0xff)));
  }
  return largest;
}

int squared_distance(Colour a, Colour b) {
  int sum = 0;
  for (const int shift : {0, 8, 16}) {
    const int difference = static_cast<int>(a >> shift & 0xff) - static_cast<int>(b >> shift & 0xff);
    sum += difference * difference;
  }
  return sum;
}

}  // namespace

bool Palette::count(std::span<const uint32_t> pixels) {
  slots_.fill(0);
  entries_.clear();
  order_.clear();
  entry_of_.resize(pixels.size());
  Colour last = ~Colour{0};
  uint16_t entry = 0;
  for (size_t i = 0; i < pixels.size(); ++i) {
    const Colour colour = pixels[i] & kColourMask;
    if (colour != last) {
      size_t slot = (colour * 0x9e3779b1u) >> 19;  // 13 bits, as many as there are slots
      while (slots_[slot] != 0 && entries_[slots_[slot] - 1u].colour != colour) slot = (slot + 1) % kSlots;
      if (slots_[slot] == 0) {
        if (entries_.size() == kMaxDistinct) return false;
        entries_.push_back({colour, 0});
        slots_[slot] = static_cast<uint16_t>(entries_.size());
      }
      entry = static_cast<uint16_t>(slots_[slot] - 1);
      last = colour;
    }
    ++entries_[entry].count;
    entry_of_[i] = entry;
  }
  return true;
}

void Palette::sort() {
  order_.resize(entries_.size());
  std::iota(order_.begin(), order_.end(), uint16_t{0});
  // Ties by colour, so that tiles of the same content have the same palette.
  std::sort(order_.begin(), order_.end(), [this](uint16_t a, uint16_t b) {
    const Entry &x = entries_[a], &y = entries_[b];
    return x.count != y.count ? x.count > y.count : x.colour < y.colour;
  });
}

bool Palette::merge(int tolerance) {
  if (order_.empty()) sort();
  index_of_.resize(entries_.size());
  colours_.clear();
  squared_error_ = 0;
  for (const uint16_t entry : order_) {
    const Colour colour = entries_[entry].colour;
    const auto kept = tolerance == 0 ? colours_.end()
                                     : std::find_if(colours_.begin(), colours_.end(), [&](Colour candidate) {
                                         return distance(candidate, colour) <= tolerance;
                                       });
    if (kept == colours_.end()) {
      if (colours_.size() == kMaxPaletteColours) return false;
      index_of_[entry] = static_cast<uint8_t>(colours_.size());
      colours_.push_back(colour);
    } else {
      index_of_[entry] = static_cast<uint8_t>(kept - colours_.begin());
      squared_error_ += int64_t{entries_[entry].count} * squared_distance(*kept, colour);
    }
  }
  indices_.resize(entry_of_.size());
  for (size_t i = 0; i < entry_of_.size(); ++i) indices_[i] = index_of_[entry_of_[i]];
  return true;
}

int index_bits(size_t colours) {
  if (colours <= 1) return 0;
  if (colours <= 2) return 1;
  if (colours <= 4) return 2;
  return colours <= 16 ? 4 : 8;
}

size_t packed_index_bytes(size_t count, size_t colours) {
  return (count * static_cast<size_t>(index_bits(colours)) + 7) / 8;
}

void pack_indices(std::span<const uint8_t> indices, size_t colours, std::vector<uint8_t>& out) {
  const auto bits = static_cast<unsigned>(index_bits(colours));
  if (bits == 0) return;
  unsigned byte = 0, filled = 0;
  for (const uint8_t index : indices) {
    byte |= static_cast<unsigned>(index) << filled;
    filled += bits;
    if (filled == 8) {
      out.push_back(static_cast<uint8_t>(byte));
      byte = filled = 0;
    }
  }
  if (filled != 0) out.push_back(static_cast<uint8_t>(byte));
}

}  // namespace latentdesk
