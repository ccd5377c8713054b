#pragma once

#include "common/protocol.h"
#include "common/stream/range_decoder.h"

#include <vector>

// Both ends of the range coder. They have the same members, so that what codes something can be written once
// for both: a decoder takes no notice of the values that it is given, and an encoder returns them.

namespace latentdesk {

class RangeEncoder {
 public:
  static constexpr bool kEncodes = true;

  /// Appends to `out`.
  explicit RangeEncoder(std::vector<uint8_t>& out) : out_(out) {}

  bool code(BitModel& model, bool bit) {
    encode(model.zero(), bit);
    model.learn(bit);
    return bit;
  }

  /// By the mean of what both expect.
  bool code(BitModel& one, BitModel& other, bool bit) {
    encode((one.zero() + other.zero()) / 2, bit);
    one.learn(bit);
    other.learn(bit);
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
  void encode(uint32_t zero, bool bit) {
    const uint32_t bound = (range_ >> BitModel::kBits) * zero;
    if (bit) low_ += bound;
    range_ = bit ? range_ - bound : bound;
    normalise();
  }

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

class RangeDecoder : public BasicRangeDecoder {
 public:
  explicit RangeDecoder(ByteView in) : BasicRangeDecoder(in.data(), in.size()) {}

  /// Throws ProtocolError when more was read than there is. To be asked now and then.
  void check() const {
    if (is_beyond()) throw ProtocolError("a coded stream is truncated");
  }
  /// Throws ProtocolError unless all was read.
  void finish() const {
    check();
    if (has_more()) throw ProtocolError("a coded stream is followed by further bytes");
  }
};

}  // namespace latentdesk
