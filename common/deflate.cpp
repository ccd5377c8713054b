#include "common/deflate.h"

#include "common/protocol.h"

#include <zlib.h>

#include <new>

namespace latentdesk {

namespace {

// Z_RLE looks for runs alone, so the level changes nothing but the lazy-match bookkeeping: take the cheapest.
constexpr int kLevel = 1;
constexpr int kWindowBits = 15;
constexpr int kMemLevel = 9;

}  // namespace

struct Deflater::Stream {
  z_stream z{};
  Stream() {
    if (deflateInit2(&z, kLevel, Z_DEFLATED, kWindowBits, kMemLevel, Z_RLE) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { deflateEnd(&z); }
};

Deflater::Deflater() : stream_(std::make_unique<Stream>()) {}
Deflater::~Deflater() = default;

void Deflater::deflate(std::span<const int8_t> in, std::vector<uint8_t>& out) {
  z_stream& z = stream_->z;
  deflateReset(&z);
  out.resize(deflateBound(&z, in.size()));
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  ::deflate(&z, Z_FINISH);  // cannot fail: the output has room for the worst case
  out.resize(z.total_out);
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
  z_stream& z = stream_->z;
  inflateReset(&z);
  z.next_in = const_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
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
