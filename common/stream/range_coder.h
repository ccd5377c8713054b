#pragma once

#include "common/protocol.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

// Adaptive binary arithmetic coding: the range coder of LZMA (I. Pavlov, "LZMA specification"), less its
// first byte, which is always 0. Encoder and decoder have the same members, so that what codes something can
// be written once for both: a decoder takes no notice of the values that it is given, and an encoder returns
// them.

namespace latentdesk {

/// 0, 1, 2, 3, 4-5, 6-7, 8-11, 12-15, 16-23 and so on are 0, 1, 2, ...: classes for what models depend on.
constexpr size_t half_octave(int value) {
  const auto bits = static_cast<unsigned>(value);
  const auto width = static_cast<size_t>(std::bit_width(bits));
  return width < 2 ? width : 2 * width - 2 + (bits >> (width - 2) & 1);
}

/// What is known of a bit: the probability that it is 0, in units of 2^-15, and how often it was seen. It
/// moves by 1 / (n + 1.6) of what it was wrong by at the n-th time, and by no less than 1 / 61.6.
class BitModel {
 public:
  uint32_t zero() const { return zero_; }

  void learn(bool bit) {
    const uint32_t rate = kRates[seen_];
    zero_ = static_cast<uint16_t>(bit ? zero_ - (zero_ * rate >> 16) : zero_ + ((kOne - zero_) * rate >> 16));
    seen_ = static_cast<uint16_t>(seen_ + (seen_ < kMostSeen));
  }

  static constexpr int kBits = 15;

 private:
  static constexpr uint32_t kOne = 1u << kBits;
  static constexpr uint32_t kMostSeen = 60;
  static constexpr std::array<uint32_t, kMostSeen + 1> kRates = [] {
    std::array<uint32_t, kMostSeen + 1> rates{};
    for (uint32_t n = 0; n <= kMostSeen; ++n) rates[n] = 5 * 65536 / (5 * n + 8);
    return rates;
  }();

  uint16_t zero_ = kOne / 2;
  uint16_t seen_ = 0;
};

class RangeEncoder {
 public:
  static constexpr bool kEncodes = true;

  /// Appends to `out`.
  explicit RangeEncoder(std::vector<uint8_t>& out) : out_(out) {}

  bool code(BitModel& model, bool bit) {
    const uint32_t bound = (range_ >> BitModel::kBits) * model.zero();
    model.learn(bit);
    if (bit) low_ += bound;
    range_ = bit ? range_ - bound : bound;
    normalise();
    return bit;
  }

  /// The lowest `count` bits, of which nothing is known, highest first.
  uint32_t code_bits(uint32_t value, int count) {
    for (int i = count - 1; i >= 0; --i) {
      range_ >>= 1;
      if (value >> i & 1) low_ += range_;
      normalise();
    }
    return value;
  }

  /// Must come last.
  void finish() {
    for (int i = 0; i < 5; ++i) shift();
  }

 private:
  void normalise() {
    while (range_ < 1u << 24) {
      range_ <<= 8;
      shift();
    }
  }

  /// Hands on the highest byte once no carry can change it.
  void shift() {
    if (low_ < 0xff000000u || low_ > 0xffffffffu) {
      const auto carry = static_cast<uint8_t>(low_ >> 32);
      if (!first_) out_.push_back(static_cast<uint8_t>(held_ + carry));
      first_ = false;
      for (; held_ones_ > 0; --held_ones_) out_.push_back(static_cast<uint8_t>(0xff + carry));
      held_ = static_cast<uint8_t>(low_ >> 24);
    } else {
      ++held_ones_;
    }
    low_ = (low_ & 0x00ffffffu) << 8;
  }

  std::vector<uint8_t>& out_;
  uint64_t low_ = 0;
  uint32_t range_ = 0xffffffffu;
  uint8_t held_ = 0;
  size_t held_ones_ = 0;  ///< bytes 0xff behind it
  bool first_ = true;
};

/// Reads what a RangeEncoder made; of anything else it makes something, too.
class RangeDecoder {
 public:
  static constexpr bool kEncodes = false;

  explicit RangeDecoder(ByteView in) : in_(in) {
    for (int i = 0; i < 4; ++i) shift();
  }

  bool code(BitModel& model, bool) {
    const uint32_t bound = (range_ >> BitModel::kBits) * model.zero();
    const bool bit = code_ >= bound;
    model.learn(bit);
    if (bit) code_ -= bound;
    range_ = bit ? range_ - bound : bound;
    normalise();
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

  /// Throws ProtocolError when more was read than there is. To be asked now and then.
  void check() const {
    if (read_ > in_.size()) throw ProtocolError("a coded stream is truncated");
  }
  /// Throws ProtocolError unless all was read.
  void finish() const {
    check();
    if (read_ < in_.size()) throw ProtocolError("a coded stream is followed by further bytes");
  }

 private:
  void normalise() {
    while (range_ < 1u << 24) {
      range_ <<= 8;
      shift();
    }
  }

  void shift() {
    code_ = code_ << 8 | (read_ < in_.size() ? in_[read_] : 0u);
    ++read_;
  }

  ByteView in_;
  size_t read_ = 0;
  uint32_t code_ = 0;
  uint32_t range_ = 0xffffffffu;
};

}  // namespace latentdesk
