#include "common/bench/bench.h"

#include "common/clock.h"
#include "common/codec/frame_encoder.h"
#include "common/codec/restoration.h"
#include "common/fidelity.h"
#include "common/raw_video.h"

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <unistd.h>

namespace latentdesk {

namespace {

/// A viewer without window and network: message to picture.
class BenchViewer {
 public:
  explicit BenchViewer(std::unique_ptr<Decoder> decoder) : decoder_(std::move(decoder)) {}

  void show(ByteView message, BenchResult& result) {
    const auto start = SteadyClock::now();
    const MessageView parts = split_message(message);
    const FrameHeader header = parse_frame_header(parts.header);
    unpack(header, parts.payload, inflater_, latents_);
    const auto unpacked = SteadyClock::now();
    picture_.resize(header.original);
    decoder_->decode(latents_, picture_.view());
    restoration_.restore_all(picture_.view(), latents_.scale);
    result.unpack.add(milliseconds(unpacked - start));
    result.decode.add(milliseconds_since(unpacked));
  }

  const Image& picture() const { return picture_; }

 private:
  std::unique_ptr<Decoder> decoder_;
  Restoration restoration_;
  Inflater inflater_;
  Latents latents_;
  Image picture_;
};

/// A server without capture and network: picture to message.
class BenchServer {
 public:
  BenchServer(const Model& model, const Backend& backend, const BenchOptions& options)
      : encoder_(make_encoder(model, backend, options.threads)),
        scale_(model.scale_for_quality(options.quality)),
        model_ver_(model.wire_version()) {}

  ByteView send(ImageView picture, double timestamp, BenchResult& result) {
    const FrameEncoder::Result encoded = encoder_.encode(picture, scale_, payload_);
    result.encode.add(encoded.encode_ms);
    result.pack.add(encoded.pack_ms);
    const std::string prefix =
        serialize_frame_prefix({encoded.shape, encoded.scale, picture.size, timestamp, model_ver_});
    message_.assign(prefix.begin(), prefix.end());
    message_.insert(message_.end(), payload_.begin(), payload_.end());
    return message_;
  }

 private:
  FrameEncoder encoder_;
  float scale_;
  std::string model_ver_;
  std::vector<uint8_t> payload_;
  std::vector<uint8_t> message_;
};

void show_progress(uint64_t done, uint64_t all) {
  if (!isatty(STDERR_FILENO)) return;
  std::fprintf(stderr, "\rframe %llu of %llu%s", static_cast<unsigned long long>(done),
               static_cast<unsigned long long>(all), done == all ? "\n" : "");
}

}  // namespace

BenchResult run_bench(const BenchOptions& options, const Model& model, const Backend& backend) {
  RawVideo video(raw_path(options.source), options.size);
  BenchServer server(model, backend, options);
  BenchViewer viewer(make_decoder(model, backend, options.threads));
  std::ofstream decoded;
  decoded.exceptions(std::ios::failbit | std::ios::badbit);
  if (!options.decoded.empty()) decoded.open(options.decoded, std::ios::binary);

  BenchResult result;
  Fidelity fidelity;
  Image picture(options.size);
  double busy_ms = 0;
  while (video.read(picture.view())) {
    const ByteView message =
        server.send(picture.view(), static_cast<double>(result.frames) / options.fps, result);
    viewer.show(message, result);
    busy_ms += result.encode.last() + result.pack.last() + result.unpack.last() + result.decode.last();
    if (result.frames++ == 0) result.first_bytes = message.size();
    result.bytes += message.size();
    fidelity.add(picture.view(), viewer.picture().view());
    if (decoded.is_open()) {
      decoded.write(reinterpret_cast<const char*>(viewer.picture().data()),
                    static_cast<std::streamsize>(viewer.picture().bytes()));
    }
    show_progress(result.frames, video.frames());
  }
  result.fps = static_cast<double>(result.frames) * 1000 / busy_ms;
  result.psnr = fidelity.psnr();
  result.ssim = fidelity.ssim();
  return result;
}

}  // namespace latentdesk
