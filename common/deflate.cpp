#include "common/deflate.h"

#include "common/protocol.h"

#include <zlib.h>

#include <new>

namespace latentdesk {

namespace {

struct Parameters {
  int level;
  int strategy;
};

Parameters parameters(Compression compression) {
  switch (compression) {
    case Compression::runs:
      return {1, Z_RLE};  // the level changes nothing but bookkeeping
    case Compression::quick:
      return {4, Z_FILTERED};  // smaller than by default on large parts, which alone are in a hurry
    case Compression::full:
      return {7, Z_DEFAULT_STRATEGY};
    case Compression::thorough:
      break;
  }
  return {9, Z_DEFAULT_STRATEGY};
}

constexpr int kWindowBits = 15;
constexpr int kMemLevel = 9;

}  // namespace

struct Deflater::Stream {
  z_stream z{};
  Stream() {
    const auto [level, strategy] = parameters(Compression::runs);
    if (deflateInit2(&z, level, Z_DEFLATED, kWindowBits, kMemLevel, strategy) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { deflateEnd(&z); }
};

Deflater::Deflater() : stream_(std::make_unique<Stream>()) {}
Deflater::~Deflater() = default;

void Deflater::deflate(std::span<const int8_t> in, std::vector<uint8_t>& out) {
  deflate({reinterpret_cast<const uint8_t*>(in.data()), in.size()}, Compression::runs, out);
}

void Deflater::deflate(std::span<const uint8_t> in, Compression compression, std::vector<uint8_t>& out) {
  z_stream& z = stream_->z;
  deflateReset(&z);
  const auto [level, strategy] = parameters(compression);
  deflateParams(&z, level, strategy);
  out.resize(deflateBound(&z, in.size()));
  z.next_in = const_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  ::deflate(&z, Z_FINISH);  // cannot fail: the output has room for the worst case
  out.resize(z.total_out);
}

void check_inflated_size(size_t inflated, size_t packed) {
  constexpr size_t kMaxDeflateRatio = 1032;
  if (inflated / kMaxDeflateRatio > packed) throw ProtocolError("payload is too short for its header");
}

struct Inflater::Stream {
  z_stream z{};
  Stream() {
    if (inflateInit2(&z, kWindowBits) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { inflateEnd(&z); }
};

Inflater::Inflater() : stream_(std::make_unique<Stream>()) {}
Inflater::~Inflater() = default;

void Inflater::inflate(std::span<const uint8_t> in, std::span<int8_t> out) {
  inflate(in, std::span<uint8_t>(reinterpret_cast<uint8_t*>(out.data()), out.size()));
}

void Inflater::inflate(std::span<const uint8_t> in, std::span<uint8_t> out) {
  z_stream& z = stream_->z;
  inflateReset(&z);
  z.next_in = const_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  const int result = ::inflate(&z, Z_FINISH);
  if (result == Z_STREAM_END && z.avail_out == 0 && z.avail_in == 0) return;
  if (result == Z_BUF_ERROR && z.avail_out == 0)
    throw ProtocolError("payload inflates to more than its header says");
  if (result == Z_STREAM_END && z.avail_out > 0)
    throw ProtocolError("payload inflates to less than its header says");
  if (result == Z_STREAM_END) throw ProtocolError("payload is followed by further bytes");
  if (result == Z_MEM_ERROR) throw std::bad_alloc();
  throw ProtocolError(result == Z_BUF_ERROR ? "payload is truncated" : "payload is not a zlib stream");
}

}  // namespace latentdesk
