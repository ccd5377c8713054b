#pragma once

#include "common/stream/latent_memory.h"
#include "common/stream/range_decoder.h"

// How single numbers among latents are coded, and what is learnt of them: docs/protocol.md, "The stream of
// latents". Needs no library, since the page for browsers has it compiled for WebAssembly, too.

namespace latentdesk {

inline int magnitude_of(int value) { return value < 0 ? -value : value; }

/// A number of at most 12 bits.
class NumberModel {
 public:
  /// The width in unary, then the bits below the highest one, of which two are learnt.
  template <typename Coder>
  int code(Coder& coder, int number) {
    const size_t actual = width_of(number);
    size_t width = 0;
    while (width < kMaxWidth && coder.code(width_[width], actual > width)) ++width;
    if (width < 2) return static_cast<int>(width);
    uint32_t value = 1;
    int rest = static_cast<int>(width) - 1;
    for (; rest > 0 && value < 4; --rest) {
      const bool bit = (static_cast<uint32_t>(number) >> (rest - 1) & 1) != 0;
      value = value << 1 | uint32_t{coder.code(bits_[width][value], bit)};
    }
    return static_cast<int>(value << rest |
                            coder.code_bits(static_cast<uint32_t>(number) & ((1u << rest) - 1), rest));
  }

 private:
  static constexpr int kMaxWidth = 12;

  BitModel width_[kMaxWidth];
  BitModel bits_[kMaxWidth + 1][4];  // by the width, and the bits so far
};

/// A position whose first channels are much like those of the one that is coded.
struct Likeness {
  const int8_t* latents = nullptr;
  int looked = 0;      // how much it differed
  int difference = 0;  // of the channels before, the last ones most
};

/// What prediction leaves over of a latent.
class ValueModel {
 public:
  static constexpr int kMaxMagnitude = 128;

  struct Place {
    int channel;
    int others;  // channels that follow
    int around;  // the sum of neighbours' magnitudes
    int energy;  // of the channels before
  };

  /// What no encoder made may be beyond int8, by a magnitude above kMaxMagnitude.
  template <typename Coder>
  int code(Coder& coder, const Place& place, const Likeness& like, int value) {
    const int c = place.channel;
    const size_t near = least(width_of(place.around), 7), wrong = least(half_octave(like.difference), 15);
    const int similar = like.latents == nullptr ? 0 : like.latents[c];
    BitModel* one = like.latents == nullptr
                        ? near_[half_octave(c)][near][least(width_of(place.others), 7)]
                        : like_[least(half_octave(magnitude_of(similar)), 9)][wrong][near];
    BitModel* other = own_[c][least(width_of(place.energy / 2), 7)];
    // The last channel that is counted is not 0.
    if (place.others > 0 && !coder.code(one[0], other[0], value != 0)) return 0;
    const int magnitude = code_magnitude(coder, one + 1, other + 1, magnitude_of(value));
    bool is_negative = value < 0;
    if (similar != 0) {
      BitModel& model = sign_[least(magnitude_of(similar), 5)][wrong][least(magnitude, 5)];
      is_negative = coder.code(model, is_negative != (similar < 0)) != (similar < 0);
    } else {
      is_negative = coder.code_bits(is_negative, 1) != 0;
    }
    return is_negative ? -magnitude : magnitude;
  }

 private:
  static constexpr int kSteps = 9;           // is it 0, and is it above 1, 2, ..., 7, 8 or more
  static constexpr int kMostUnary = 15;      // magnitudes from here on are coded by an Exp-Golomb code
  static constexpr int kMostExcessBits = 6;  // which no int8 goes beyond

  static size_t least(size_t a, size_t b) { return a < b ? a : b; }

  template <typename Coder>
  static int code_magnitude(Coder& coder, BitModel* one, BitModel* other, int actual) {
    int magnitude = 1;
    for (; magnitude < kMostUnary; ++magnitude) {
      const size_t step = least(magnitude, kSteps - 1) - 1;
      if (!coder.code(one[step], other[step], actual > magnitude)) return magnitude;
    }
    const auto excess = static_cast<uint32_t>(actual - kMostUnary + 1);
    int bits = 0;
    while (bits < kMostExcessBits && coder.code_bits(excess >> (bits + 1) != 0, 1) != 0) ++bits;
    return magnitude + static_cast<int>(1u << bits | coder.code_bits(excess & ((1u << bits) - 1), bits)) - 1;
  }

  BitModel near_[16][8][8][kSteps];       // by band of channels, neighbourhood and how many are left
  BitModel like_[10][16][8][kSteps];      // by what is like it, how much that was wrong, and neighbourhood
  BitModel own_[kMaxLatents][8][kSteps];  // by channel, and magnitudes of those before
  BitModel sign_[6][16][6];               // by what is like it, how much that was wrong, and magnitude
};

}  // namespace latentdesk
