#pragma once

#include <stddef.h>
#include <stdint.h>

// What was coded before in the same update, so that it can come again: docs/protocol.md, "The stream of
// latents". Needs no library, since the page for browsers has it compiled for WebAssembly, too.

namespace latentdesk {

constexpr int kMaxLatents = 256;  ///< of a position

constexpr uint32_t kHashOfNone = 0x811c9dc5;

/// Of a position's latents.
struct Known {
  uint32_t hash = kHashOfNone;
  uint16_t slot = 0;  ///< that holds them, from 1; 0: none
};

/// How many bytes there are up to the last one that is not 0. `size` is a multiple of 8.
inline int used_of(const void* bytes, int size) {
  const auto* at = static_cast<const uint8_t*>(bytes);
  for (uint64_t word = 0; size > 0; size -= 8) {
    __builtin_memcpy(&word, at + size - 8, 8);
    if (word != 0) break;
  }
  while (size > 0 && at[size - 1] == 0) --size;
  return size;
}

/// FNV-1a of 32 bits, over the latents up to the last that is not 0.
inline uint32_t hash_of(const int8_t* latents, int used) {
  uint32_t hash = kHashOfNone;
  for (int i = 0; i < used; ++i) hash = (hash ^ static_cast<uint8_t>(latents[i])) * 0x01000193;
  return hash;
}

/// The latents of positions that were like none before, the last 2048 of them.
class LatentMemory {
 public:
  static constexpr int kSlots = 2048;
  static constexpr int kLook = 8;  ///< channels that are compared at first
  static constexpr int kMostDifference = 15;
  static constexpr int kFurther = 24;  ///< that are compared then

  const int8_t* latents(uint16_t slot) const { return entries_[slot - 1]; }
  Known known(uint16_t slot) const { return {hashes_[slot - 1], slot}; }

  /// Returns the slot.
  uint16_t store(const int8_t* latents, uint32_t hash) {
    const auto index = static_cast<uint16_t>(stored_++ % kSlots);
    __builtin_memcpy(entries_[index], latents, kMaxLatents);
    for (int c = 0; c < kLook; ++c) looks_[c][index] = static_cast<uint8_t>(latents[c] + 128);
    hashes_[index] = hash;
    newest_[hash % kContexts] = static_cast<uint16_t>(index + 1);
    return static_cast<uint16_t>(index + 1);
  }

  /// The slot that was stored `distance` ago, from 1; 0 if there is none.
  uint16_t slot_at(int distance) const {
    if (distance < 1 || distance > size()) return 0;
    return static_cast<uint16_t>((stored_ - static_cast<uint32_t>(distance)) % kSlots + 1);
  }
  int distance_of(uint16_t slot) const { return static_cast<int>((stored_ - slot) % kSlots) + 1; }

  /// A slot with that hash; 0 if none is known. For encoders.
  uint16_t find(uint32_t hash) const {
    const uint16_t slot = newest_[hash % kContexts];
    return slot != 0 && hashes_[slot - 1] == hash ? slot : 0;
  }

  /// Which slot came last after such a left and upper neighbour, and after such a left one; 0: none.
  struct Followers {
    uint16_t slots[2];
  };
  Followers followers(Known left, Known above) const {
    return {{followers_[0][context_of(left, above)], followers_[1][left.hash % kContexts]}};
  }
  void follow(Known left, Known above, Known here) {
    followers_[0][context_of(left, above)] = followers_[1][left.hash % kContexts] = here.slot;
  }

  /// The slot whose first kLook channels differ least in all from these, differences above kMostDifference
  /// taken for that; of equals the last. 0 if none.
  uint16_t nearest(const int8_t* latents, int& difference) {
    int best = 0;
    difference = kLook * kMostDifference;
    static_assert(kLook * kMostDifference * 13 / 10 + 4 < 255, "or empty slots would be taken");
    for (int block = 0; block < size(); block += kBlock) {
      uint8_t* sums = differences_ + block;
      compare(latents, block, sums);
      for (int i = size(); i < block + kBlock; ++i) sums[i - block] = 255;
      uint8_t least = 255;
      for (int i = 0; i < kBlock; ++i) least = sums[i] < least ? sums[i] : least;
      least_[block / kBlock] = least;
      if (least > difference) continue;
      difference = least;
      best = block;
    }
    if (size() == 0) return 0;
    for (int i = kBlock; i > 0; --i) {
      if (differences_[best + i - 1] == difference) return static_cast<uint16_t>(best + i);
    }
    return 0;
  }

  /// The same over kFurther channels, of those that were hardly worse than the `difference` of the nearest.
  uint16_t nearest_further(const int8_t* latents, int& difference) const {
    const int limit = difference * 13 / 10 + 4;
    int best = 0;
    difference = 1 << 16;
    for (int block = 0; block < size(); block += kBlock) {
      if (least_[block / kBlock] > limit) continue;
      for (int i = block; i < block + kBlock; ++i) {
        if (differences_[i] > limit) continue;
        const int all = differences_[i] + difference_of(latents, entries_[i]);
        if (all > difference) continue;
        difference = all;
        best = i + 1;
      }
    }
    return static_cast<uint16_t>(best);
  }

 private:
  static constexpr uint32_t kContexts = 4096;
  static constexpr int kBlock = 64;  // slots that are compared at once

  static size_t context_of(Known left, Known above) {
    return (left.hash * 0x9e3779b1u ^ above.hash) % kContexts;
  }
  /// Written for compilers to make vectors of it.
  void compare(const int8_t* latents, int block, uint8_t* sums) const {
    for (int i = 0; i < kBlock; ++i) sums[i] = 0;
    for (int c = 0; c < kLook; ++c) {
      const auto own = static_cast<uint8_t>(latents[c] + 128);
      const uint8_t* others = looks_[c] + block;
      for (int i = 0; i < kBlock; ++i) {
        const uint8_t high = others[i] > own ? others[i] : own, low = others[i] > own ? own : others[i];
        const auto apart = static_cast<uint8_t>(high - low);
        sums[i] = static_cast<uint8_t>(sums[i] + (apart > kMostDifference ? kMostDifference : apart));
      }
    }
  }

  static int difference_of(const int8_t* one, const int8_t* other) {
    int sum = 0;
    for (int c = kLook; c < kFurther; ++c) sum += one[c] > other[c] ? one[c] - other[c] : other[c] - one[c];
    return sum;
  }

  int size() const { return stored_ < kSlots ? static_cast<int>(stored_) : kSlots; }

  uint32_t stored_ = 0;
  uint16_t followers_[2][kContexts] = {};
  uint16_t newest_[kContexts] = {};
  uint8_t looks_[kLook][kSlots] = {};
  // Up to size():
  int8_t entries_[kSlots][kMaxLatents];

  uint32_t hashes_[kSlots];
  uint8_t differences_[kSlots];
  uint8_t least_[kSlots / kBlock];  ///< difference of each block
};

}  // namespace latentdesk
