// zlib streams (RFC 1950, RFC 1951) into a buffer of known size. Browsers' own decompressor makes a stream
// and a state of its own for every message, faster than they are collected; this one keeps nothing.

#include <stdint.h>

namespace {

constexpr int kMaxBits = 15, kFastBits = 10;
constexpr int kLiterals = 288, kDistances = 32;

enum Outcome { kDone, kDamaged, kLonger, kShorter };

/// A canonical Huffman code. Short codes are looked up, longer ones counted through, as in RFC 1951, 3.2.2.
struct Code {
  uint16_t counts[kMaxBits + 1];
  uint16_t symbols[kLiterals];
  uint16_t fast[1 << kFastBits];  ///< symbol << 4 | length; 0: none
};

Code literals, distances;

struct Reader {
  const uint8_t* next;
  const uint8_t* end;
  uint64_t bits = 0;
  int count = 0;

  void fill() {
    for (; count <= 56 && next != end; count += 8) bits |= uint64_t{*next++} << count;
  }
  void drop(int n) {
    bits >>= n;
    count -= n;
  }
};

struct Writer {
  uint8_t* begin;
  uint8_t* next;
  uint8_t* end;
};

/// False when there are not so many bits.
bool read(Reader& in, int n, uint32_t& value) {
  in.fill();
  if (in.count < n) return false;
  value = static_cast<uint32_t>(in.bits & ((uint64_t{1} << n) - 1));
  in.drop(n);
  return true;
}

int reversed(int code, int length) {
  int result = 0;
  for (int i = 0; i < length; ++i) result |= (code >> i & 1) << (length - 1 - i);
  return result;
}

/// False when the lengths belong to no code. Incomplete is only one of a single symbol, or of none.
bool build(Code& code, const uint8_t* lengths, int symbols) {
  for (uint16_t& count : code.counts) count = 0;
  for (uint16_t& entry : code.fast) entry = 0;
  for (int i = 0; i < symbols; ++i) ++code.counts[lengths[i]];
  const int used = symbols - code.counts[0];
  code.counts[0] = 0;
  int left = 1;
  uint16_t offsets[kMaxBits + 2] = {}, codes[kMaxBits + 2] = {};
  for (int length = 1; length <= kMaxBits; ++length) {
    left = 2 * left - code.counts[length];
    if (left < 0) return false;
    offsets[length + 1] = static_cast<uint16_t>(offsets[length] + code.counts[length]);
    codes[length + 1] = static_cast<uint16_t>((codes[length] + code.counts[length]) << 1);
  }
  if (left > 0 && used > 1) return false;
  for (int i = 0; i < symbols; ++i) {
    const int length = lengths[i];
    if (length == 0) continue;
    code.symbols[offsets[length]++] = static_cast<uint16_t>(i);
    const int first = reversed(codes[length]++, length);
    for (int at = first; length <= kFastBits && at < 1 << kFastBits; at += 1 << length) {
      code.fast[at] = static_cast<uint16_t>(i << 4 | length);
    }
  }
  return true;
}

/// -1 when there is no such code.
int decode(Reader& in, const Code& code) {
  in.fill();
  const int entry = code.fast[in.bits & ((1 << kFastBits) - 1)];
  if (entry != 0) {
    if ((entry & 15) > in.count) return -1;
    in.drop(entry & 15);
    return entry >> 4;
  }
  int value = 0, first = 0, index = 0;
  for (int length = 1; length <= kMaxBits && length <= in.count; ++length) {
    value |= static_cast<int>(in.bits >> (length - 1) & 1);
    const int count = code.counts[length];
    if (value - count < first) {
      in.drop(length);
      return code.symbols[index + value - first];
    }
    index += count;
    first = (first + count) << 1;
    value <<= 1;
  }
  return -1;
}

Outcome copy_stored(Reader& in, Writer& out) {
  in.drop(in.count % 8);
  uint32_t length = 0, inverse = 0;
  if (!read(in, 16, length) || !read(in, 16, inverse) || (length ^ inverse) != 0xffff) return kDamaged;
  if (length > static_cast<uint32_t>(out.end - out.next)) return kLonger;
  for (uint32_t byte = 0; length > 0; --length) {
    if (!read(in, 8, byte)) return kDamaged;
    *out.next++ = static_cast<uint8_t>(byte);
  }
  return kDone;
}

constexpr uint16_t kLengthBase[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr uint8_t kLengthBits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                   2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr uint16_t kDistanceBase[] = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                      33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                      1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
constexpr uint8_t kDistanceBits[] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                     6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

Outcome repeat(Reader& in, Writer& out, int symbol) {
  uint32_t more = 0;
  if (symbol >= 29 || !read(in, kLengthBits[symbol], more)) return kDamaged;
  uint32_t length = kLengthBase[symbol] + more;
  const int far = decode(in, distances);
  if (far < 0 || far >= 30 || !read(in, kDistanceBits[far], more)) return kDamaged;
  const uint32_t distance = kDistanceBase[far] + more;
  if (distance > static_cast<uint32_t>(out.next - out.begin)) return kDamaged;
  if (length > static_cast<uint32_t>(out.end - out.next)) return kLonger;
  for (; length > 0; --length, ++out.next) *out.next = *(out.next - distance);
  return kDone;
}

Outcome decode_block(Reader& in, Writer& out) {
  for (;;) {
    const int symbol = decode(in, literals);
    if (symbol < 0) return kDamaged;
    if (symbol == 256) return kDone;
    if (symbol > 256) {
      const Outcome outcome = repeat(in, out, symbol - 257);
      if (outcome != kDone) return outcome;
    } else if (out.next == out.end) {
      return kLonger;
    } else {
      *out.next++ = static_cast<uint8_t>(symbol);
    }
  }
}

bool build_fixed() {
  uint8_t lengths[kLiterals];
  for (int i = 0; i < kLiterals; ++i)
    lengths[i] = static_cast<uint8_t>(i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8);
  build(literals, lengths, kLiterals);
  for (int i = 0; i < kDistances; ++i) lengths[i] = 5;
  return build(distances, lengths, kDistances);
}

/// Lengths of codes, themselves in a code. False when they are damaged.
bool read_lengths(Reader& in, uint8_t* lengths, int total) {
  for (int i = 0; i < total;) {
    const int symbol = decode(in, literals);
    if (symbol < 0) return false;
    if (symbol < 16) {
      lengths[i++] = static_cast<uint8_t>(symbol);
      continue;
    }
    uint32_t more = 0;
    if (!read(in, symbol == 16 ? 2 : symbol == 17 ? 3 : 7, more) || (symbol == 16 && i == 0)) return false;
    const uint8_t length = symbol == 16 ? lengths[i - 1] : 0;
    const int times = static_cast<int>(more) + (symbol == 18 ? 11 : 3);
    if (i + times > total) return false;
    for (int k = 0; k < times; ++k) lengths[i++] = length;
  }
  return true;
}

bool build_dynamic(Reader& in) {
  constexpr uint8_t kOrder[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  uint32_t literal_count = 0, distance_count = 0, length_count = 0, length = 0;
  if (!read(in, 5, literal_count) || !read(in, 5, distance_count) || !read(in, 4, length_count)) return false;
  literal_count += 257;
  distance_count += 1;
  if (literal_count > 286 || distance_count > 30) return false;
  uint8_t lengths[kLiterals + kDistances] = {};
  for (uint32_t i = 0; i < length_count + 4; ++i) {
    if (!read(in, 3, length)) return false;
    lengths[kOrder[i]] = static_cast<uint8_t>(length);
  }
  if (!build(literals, lengths, 19)) return false;
  if (!read_lengths(in, lengths, static_cast<int>(literal_count + distance_count)) || lengths[256] == 0)
    return false;
  return build(literals, lengths, static_cast<int>(literal_count)) &&
         build(distances, lengths + literal_count, static_cast<int>(distance_count));
}

uint32_t adler32(const uint8_t* bytes, const uint8_t* end) {
  uint32_t a = 1, b = 0;
  while (bytes != end) {
    const uint8_t* stop = end - bytes > 5552 ? bytes + 5552 : end;  // no sum overflows before
    for (; bytes != stop; ++bytes) b += a += *bytes;
    a %= 65521;
    b %= 65521;
  }
  return b << 16 | a;
}

bool has_header(Reader& in) {
  uint32_t method = 0, flags = 0;
  if (!read(in, 8, method) || !read(in, 8, flags)) return false;
  return (method & 15) == 8 && method >> 4 <= 7 && (method << 8 | flags) % 31 == 0 && (flags & 32) == 0;
}

/// The check sum is there and right, and nothing follows.
bool has_end(Reader& in, const Writer& out) {
  in.drop(in.count % 8);
  uint32_t sum = 0, byte = 0;
  for (int i = 0; i < 4; ++i) {
    if (!read(in, 8, byte)) return false;
    sum = sum << 8 | byte;
  }
  return sum == adler32(out.begin, out.next) && in.count == 0 && in.next == in.end;
}

}  // namespace

/// Inflates `size` bytes, which must make exactly `out_size`: 0; 1: damaged, 2: they make more, 3: less.
extern "C" __attribute__((export_name("inflate"))) int inflate(const uint8_t* packed, uint32_t size,
                                                               uint8_t* out, uint32_t out_size) {
  Reader in{packed, packed + size};
  Writer writer{out, out, out + out_size};
  if (!has_header(in)) return kDamaged;
  for (uint32_t is_last = 0, kind = 0; is_last == 0;) {
    if (!read(in, 1, is_last) || !read(in, 2, kind) || kind == 3) return kDamaged;
    if (kind != 0 && !(kind == 1 ? build_fixed() : build_dynamic(in))) return kDamaged;
    const Outcome outcome = kind == 0 ? copy_stored(in, writer) : decode_block(in, writer);
    if (outcome != kDone) return outcome;
  }
  if (!has_end(in, writer)) return kDamaged;
  return writer.next == writer.end ? kDone : kShorter;
}
