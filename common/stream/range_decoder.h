#pragma once

#include <stddef.h>
#include <stdint.h>

// Adaptive binary arithmetic decoding: the range coder of LZMA (I. Pavlov, "LZMA specification"), less its
// first byte, which is always 0. Needs no library, since the page for browsers has it compiled for
// WebAssembly, too.

namespace latentdesk {

/// How many bits a number of 0 and more has.
constexpr size_t width_of(int value) {
  return value == 0 ? 0 : static_cast<size_t>(32 - __builtin_clz(static_cast<unsigned>(value)));
}

/// 0, 1, 2, 3, 4-5, 6-7, 8-11, 12-15, 16-23 and so on are 0, 1, 2, ...: classes for what models depend on.
constexpr size_t half_octave(int value) {
  const size_t width = width_of(value);
  return width < 2 ? width : 2 * width - 2 + (static_cast<unsigned>(value) >> (width - 2) & 1);
}

/// In units of 2^-16, by how often the bit was seen.
template <uint32_t most_seen>
struct LearningRates {
  uint32_t at[most_seen + 1] = {};
  constexpr LearningRates() {
    for (uint32_t n = 0; n <= most_seen; ++n) at[n] = 5 * 65536 / (5 * n + 8);
  }
};

/// What is known of a bit: the probability that it is 0, in units of 2^-15, and how often it was seen. It
/// moves by 1 / (n + 1.6) of what it was wrong by at the n-th time, and by no less than 1 / 61.6.
class BitModel {
 public:
  constexpr uint32_t zero() const { return zero_; }

  constexpr void learn(bool bit) {
    const uint32_t rate = kRates.at[seen_];
    zero_ = static_cast<uint16_t>(bit ? zero_ - (zero_ * rate >> 16) : zero_ + ((kOne - zero_) * rate >> 16));
    seen_ = static_cast<uint16_t>(seen_ + (seen_ < kMostSeen));
  }

  static constexpr int kBits = 15;

 private:
  static constexpr uint32_t kOne = 1u << kBits;
  static constexpr uint32_t kMostSeen = 60;
  static constexpr LearningRates<kMostSeen> kRates{};

  uint16_t zero_ = kOne / 2;
  uint16_t seen_ = 0;
};

/// Reads what a RangeEncoder made; of anything else it makes something, too.
class BasicRangeDecoder {
 public:
  static constexpr bool kEncodes = false;

  BasicRangeDecoder(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {
    for (int i = 0; i < 4; ++i) shift();
  }

  bool code(BitModel& model, bool) {
    const bool bit = decode(model.zero());
    model.learn(bit);
    return bit;
  }

  /// By the mean of what both expect.
  bool code(BitModel& one, BitModel& other, bool) {
    const bool bit = decode((one.zero() + other.zero()) / 2);
    one.learn(bit);
    other.learn(bit);
    return bit;
  }

  uint32_t code_bits(uint32_t, int count) {
    uint32_t value = 0;
    for (int i = 0; i < count; ++i) {
      range_ >>= 1;
      const bool bit = code_ >= range_;
      if (bit) code_ -= range_;
      value = value << 1 | uint32_t{bit};
      normalise();
    }
    return value;
  }

  /// More was read than there is. To be asked now and then.
  bool is_beyond() const { return read_ > size_; }
  bool has_more() const { return read_ < size_; }

 private:
  bool decode(uint32_t zero) {
    const uint32_t bound = (range_ >> BitModel::kBits) * zero;
    const bool bit = code_ >= bound;
    if (bit) code_ -= bound;
    range_ = bit ? range_ - bound : bound;
    normalise();
    return bit;
  }

  void normalise() {
    while (range_ < 1u << 24) {
      range_ <<= 8;
      shift();
    }
  }

  void shift() {
    code_ = code_ << 8 | (read_ < size_ ? bytes_[read_] : 0u);
    ++read_;
  }

  const uint8_t* bytes_;
  size_t size_;
  size_t read_ = 0;
  uint32_t code_ = 0;
  uint32_t range_ = 0xffffffffu;
};

}  // namespace latentdesk
