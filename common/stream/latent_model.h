#pragma once

#include "common/stream/latent_memory.h"
#include "common/stream/latent_value.h"
#include "common/stream/range_decoder.h"

// What both ends know while latents are coded, and how each position's follow from it: docs/protocol.md, "The
// stream of latents". Needs no library, since the page for browsers has it compiled for WebAssembly, too.

namespace latentdesk {

/// Goes through an update's tiles. `Coder` is a range encoder, which reads positions' latents, or a decoder,
/// which writes them. One thread uses it.
class LatentModel {
 public:
  static constexpr int kSide = 8;
  static constexpr int kPositions = kSide * kSide;
  static constexpr int kPredicted = 8;  ///< channels that may be predicted

  /// Bit c of `predicted`: channel c is.
  LatentModel(int channels, uint32_t predicted) : channels_(channels), predicted_(predicted) {}

  /// False when what was read breaks a rule.
  template <typename Coder>
  bool code_tile(Coder& coder) {
    for (int i = 0; i < kPositions; ++i) {
      if (!code_position(coder, i)) return false;
    }
    // Most tiles stand to the right of the one before.
    for (int y = 0; y < kSide; ++y) *(&place(y * kSide) - 1) = place(y * kSide + kSide - 1);
    return true;
  }

  /// Sets the tile's latents, before it is encoded; `stride`: from a channel to the next.
  void take(const int8_t* latents, size_t stride) {
    for (int i = 0; i < kPositions; ++i) __builtin_memset(place(i).latents, 0, kMaxLatents);
    for (int c = 0; c < channels_; ++c, latents += stride) {
      if (used_of(latents, kPositions) == 0) continue;  // most are empty
      for (int i = 0; i < kPositions; ++i) place(i).latents[c] = latents[i];
    }
  }

  /// Writes the tile's latents, which were decoded.
  void give(int8_t* latents, size_t stride) {
    // At once, since bytes so far apart as those of `latents` fight for the cache.
    int8_t planes[kMaxLatents][kPositions] = {};
    for (int i = 0; i < kPositions; ++i) {
      const Position& from = place(i);
      const int used = from.count < kPredicted ? kPredicted : from.count;
      for (int c = 0; c < used; ++c) planes[c][i] = from.latents[c];
    }
    for (int c = 0; c < channels_; ++c, latents += stride) __builtin_memcpy(latents, planes[c], kPositions);
  }

 private:
  static constexpr int kStride = kSide + 2;  // with a border above and at both sides
  static constexpr int kOptions = 4;
  static constexpr int kFewest = 40;  // channels of a position up to which none like it is looked for
  static constexpr int kCheap = 8;    // and up to which it is not remembered
  // Searches take long and find little on photographs. What comes again from memory tells that it is text.
  static constexpr int kSearches = 256, kSearchesMore = 4;
  static constexpr int kNone = -1;

  struct Way {
    enum : uint8_t { kAsNeighbour, kAsBefore, kAnew };
  };

  struct Position {
    int8_t latents[kMaxLatents] = {};
    uint8_t magnitudes[kMaxLatents] = {};  // of what prediction leaves over
    Known known;
    int count = 0;  // of channels up to the last magnitude that is not 0
    uint8_t way = Way::kAsBefore;
  };
  struct Option {
    const int8_t* latents;
    Known known;
  };
  struct Options {
    Option list[kOptions];
    int count = 0, remembered = 0;

    void add(const int8_t* latents, Known known) {
      for (int i = 0; i < count; ++i) {
        if (list[i].known.hash == known.hash) return;
      }
      list[count++] = {latents, known};
    }
  };
  struct Models {
    BitModel is_same[72];              // by how the neighbours were coded, and whether they are the same
    BitModel is_option[18][kOptions];  // by the same
    NumberModel distance;
    NumberModel count[10];  // by the width of what is expected
    ValueModel value;
  };

  static int8_t wrapped(int value) { return static_cast<int8_t>(static_cast<uint8_t>(value)); }

  Position& place(int i) { return positions_[(i / kSide + 1) * kStride + i % kSide + 1]; }

  template <typename Coder>
  bool code_position(Coder& coder, int i) {
    Position& here = place(i);
    const Position &left = *(&here - 1), &above = *(&here - kStride), &corner = *(&above - 1);
    const Options options = options_for(left, above);
    int chosen = kNone;
    if constexpr (Coder::kEncodes) chosen = choose(here, options);
    const size_t context = left.way + 3 * above.way + 9 * (left.known.hash == above.known.hash);
    const size_t further = 18 * (corner.way == Way::kAnew) + 36 * (options.remembered > 0);
    predict(here, i);
    if (coder.code(models_.is_same[context + further], chosen != kNone)) {
      if (!code_same(coder, here, options, models_.is_option[context], chosen)) return false;
    } else if (!code_anew(coder, here, i)) {
      return false;
    }
    memory_.follow(left.known, above.known, here.known);
    return true;
  }

  /// What a position may well be the same as: each a different one.
  Options options_for(const Position& left, const Position& above) const {
    Options options;
    options.add(left.latents, left.known);
    options.add(above.latents, above.known);
    const int neighbours = options.count;
    for (const uint16_t slot : memory_.followers(left.known, above.known).slots) {
      if (slot != 0) options.add(memory_.latents(slot), memory_.known(slot));
    }
    options.remembered = options.count - neighbours;
    return options;
  }

  /// For encoders: the option that `here` is the same as, or the number of options when a slot is, or kNone.
  int choose(Position& here, const Options& options) const {
    const int used = used_of(here.latents, kMaxLatents);
    here.known = {hash_of(here.latents, used), 0};
    const auto is_same = [&](const int8_t* other) {
      return __builtin_memcmp(here.latents, other, kMaxLatents) == 0;
    };
    for (int i = 0; i < options.count; ++i) {
      if (options.list[i].known.hash == here.known.hash) return is_same(options.list[i].latents) ? i : kNone;
    }
    const uint16_t slot = memory_.find(here.known.hash);
    if (slot == 0 || used <= kCheap || !is_same(memory_.latents(slot))) return kNone;
    here.known.slot = slot;
    return options.count;
  }

  template <typename Coder>
  bool code_same(Coder& coder, Position& here, const Options& options, BitModel* models, int chosen) {
    int i = 0;
    while (i < options.count && !coder.code(models[i], chosen == i)) ++i;
    if (i < options.count) {
      here.known = options.list[i].known;
      __builtin_memcpy(here.latents, options.list[i].latents, kMaxLatents);
    } else {
      const int distance = models_.distance.code(coder, memory_.distance_of(here.known.slot));
      const uint16_t slot = memory_.slot_at(distance);
      if (slot == 0) return false;
      here.known = memory_.known(slot);
      __builtin_memcpy(here.latents, memory_.latents(slot), kMaxLatents);
    }
    here.way = i < options.count - options.remembered ? Way::kAsNeighbour : Way::kAsBefore;
    if (here.way == Way::kAsBefore) searches_ += kSearchesMore;
    measure(here);
    return true;
  }

  template <typename Coder>
  bool code_anew(Coder& coder, Position& here, int i) {
    if constexpr (Coder::kEncodes) measure(here);
    here.count = models_.count[width_of(expected_count(i))].code(coder, here.count);
    if (here.count > channels_) return false;
    if (!code_values(coder, here)) return false;
    here.way = Way::kAnew;
    const int used = used_of(here.latents, kMaxLatents);
    here.known = {hash_of(here.latents, used), 0};
    if (used > kCheap) here.known.slot = memory_.store(here.latents, here.known.hash);
    return true;
  }

  template <typename Coder>
  bool code_values(Coder& coder, Position& here) {
    const bool looks = here.count > kFewest && searches_ > 0;
    searches_ -= looks;
    Likeness like;
    int energy = 0;               // of the channels before, the last ones most
    int16_t values[kMaxLatents];  // since bytes written could be anything, and all else would be read again
    for (int c = 0; c < here.count; ++c) {
      if (looks && (c == LatentMemory::kLook || c == LatentMemory::kFurther)) {
        if constexpr (!Coder::kEncodes) restore(here, values, c);
        look(here, c, like);
      }
      const int expected = c < kPredicted ? expected_[c] : 0;
      const ValueModel::Place place{c, here.count - 1 - c, around(here, c), energy};
      const int value =
          models_.value.code(coder, place, like, Coder::kEncodes ? wrapped(here.latents[c] - expected) : 0);
      const int magnitude = magnitude_of(value);
      if (magnitude > ValueModel::kMaxMagnitude) return false;
      values[c] = static_cast<int16_t>(value);
      energy += 4 * magnitude - energy / 8;
      if (like.latents != nullptr)
        like.difference +=
            4 * magnitude_of(wrapped(value + expected) - like.latents[c]) - like.difference / 16;
    }
    if constexpr (!Coder::kEncodes) restore(here, values, here.count);
    return true;
  }

  /// Of the magnitudes of neighbours.
  static int around(const Position& here, int c) {
    const Position *left = &here - 1, *above = &here - kStride;
    return 2 * left->magnitudes[c] + 2 * above->magnitudes[c] + (above - 1)->magnitudes[c] +
           (above + 1)->magnitudes[c];
  }

  /// Sets the first `count` channels; beyond them all is as expected.
  void restore(Position& here, const int16_t* values, int count) const {
    for (int c = 0; c < count; ++c) here.latents[c] = wrapped(values[c]);
    for (int c = 0; c < count; ++c) here.magnitudes[c] = static_cast<uint8_t>(magnitude_of(values[c]));
    __builtin_memset(here.latents + count, 0, static_cast<size_t>(kMaxLatents - count));
    __builtin_memset(here.magnitudes + count, 0, static_cast<size_t>(kMaxLatents - count));
    for (int c = 0; c < kPredicted; ++c) here.latents[c] = wrapped(here.latents[c] + expected_[c]);
  }

  void measure(Position& here) const {
    for (int c = 0; c < kPredicted; ++c)
      here.magnitudes[c] = static_cast<uint8_t>(magnitude_of(wrapped(here.latents[c] - expected_[c])));
    for (int c = kPredicted; c < kMaxLatents; ++c)
      here.magnitudes[c] = static_cast<uint8_t>(magnitude_of(here.latents[c]));
    here.count = used_of(here.magnitudes, kMaxLatents);
  }

  /// What the first channels are expected to be: the median of left, above, and left + above - above left, or
  /// the one that there is.
  void predict(const Position& here, int i) {
    const Position *left = &here - 1, *above = &here - kStride;
    for (int c = 0; c < kPredicted; ++c) {
      const int l = left->latents[c], a = above->latents[c], corner = (above - 1)->latents[c];
      const int low = l < a ? l : a, high = l < a ? a : l, plane = l + a - corner;
      const int median = plane < low ? low : plane > high ? high : plane;
      const bool is_predicted = (predicted_ >> c & 1) != 0;
      expected_[c] = !is_predicted ? 0 : i < kSide ? l : i % kSide == 0 ? a : median;
    }
  }

  int expected_count(int i) {
    const Position& here = place(i);
    const int left = (&here - 1)->count, above = (&here - kStride)->count;
    return i < kSide ? left : i % kSide == 0 ? above : (left + above) / 2;
  }

  void look(const Position& here, int channel, Likeness& like) {
    const uint16_t slot = channel == LatentMemory::kLook ? memory_.nearest(here.latents, like.looked)
                                                         : memory_.nearest_further(here.latents, like.looked);
    if (slot == 0) return;
    like.latents = memory_.latents(slot);
    like.difference = 4 * like.looked;
  }

  int channels_;
  uint32_t predicted_;
  int expected_[kPredicted] = {};
  int searches_ = kSearches;  // that may still be done
  Models models_;
  Position positions_[kStride * (kSide + 1)];
  LatentMemory memory_;
};

}  // namespace latentdesk
