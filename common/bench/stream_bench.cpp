#include "common/bench/stream_bench.h"

#include "common/clock.h"
#include "common/fidelity.h"
#include "common/raw_video.h"
#include "common/stream/canvas.h"
#include "common/stream/screen_state.h"

#include <fstream>

namespace latentdesk {

namespace {

constexpr uint32_t kSlots = 4096;
constexpr auto kRest = std::chrono::milliseconds(150);

/// A viewer without window and network, and what the server knows of it.
class StreamViewer {
 public:
  StreamViewer(std::unique_ptr<Decoder> decoder, int latent_channels)
      : canvas_(std::move(decoder), latent_channels, kSlots) {}

  void join(const ScreenState& state) {
    canvas_.reset(state.grid().size());
    known_ = state.new_viewer(kSlots);
  }

  void show(const Update& update, StreamBenchResult& result) {
    message_.assign(update.prefix.begin(), update.prefix.end());
    message_.insert(message_.end(), update.payload.begin(), update.payload.end());
    const MessageView parts = split_message(message_);
    canvas_.apply(parse_update_header(parts.header), parts.payload);
    result.unpack.add(canvas_.unpack_ms());
    result.decode.add(canvas_.decode_ms());
    result.bytes += update.bytes();
    for (size_t i = 0; i < kParts; ++i) result.parts[i] += update.sizes[i];
  }

  ViewerState& known() { return known_; }
  const Image& picture() const { return canvas_.picture(); }

 private:
  Canvas canvas_;
  ViewerState known_;
  std::vector<uint8_t> message_;
};

}  // namespace

StreamBenchResult run_stream_bench(const BenchOptions& options, const StreamBenchOptions& stream,
                                   const Model& model, const Backend& backend) {
  RawVideo video(raw_path(options.source), options.size);
  ScreenState state(ContentEncoder(make_encoder(model, backend, options.threads), model.latent_channels),
                    kSlots);
  StreamViewer viewer(make_decoder(model, backend, options.threads), model.latent_channels);
  const CodingQuality quality = coding_quality(model, options.quality);
  std::ofstream decoded;
  decoded.exceptions(std::ios::failbit | std::ios::badbit);
  if (!options.decoded.empty()) decoded.open(options.decoded, std::ios::binary);

  StreamBenchResult result;
  Fidelity fidelity;
  Image picture(options.size);
  double busy_ms = 0;
  while (video.read(picture.view())) {
    const double seconds = static_cast<double>(result.frames) / options.fps;
    const SteadyTime now{
        std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(seconds))};
    const auto start = SteadyClock::now();
    state.advance(picture.view(), now, static_cast<int64_t>(seconds * 1000));
    if (result.frames == 0) viewer.join(state);
    const auto updates = state.bring_up_to_date(viewer.known(), quality);
    result.encode.add(milliseconds_since(start));
    for (const UpdatePtr& update : updates) viewer.show(*update, result);
    if (result.frames++ == 0) result.first_bytes = result.bytes;
    const uint64_t before_refinement = result.bytes;
    while (stream.refine) {
      const UpdatePtr refined = state.refine(viewer.known(), now, kRest, 0, 0, 1 << 20);
      if (!refined) break;
      viewer.show(*refined, result);
    }
    result.refinement_bytes += result.bytes - before_refinement;
    busy_ms += milliseconds_since(start);
    fidelity.add(picture.view(), viewer.picture().view());
    Fidelity alone;
    alone.add(picture.view(), viewer.picture().view());
    result.frame_psnr.push_back(alone.psnr());
    if (decoded.is_open()) {
      decoded.write(reinterpret_cast<const char*>(viewer.picture().data()),
                    static_cast<std::streamsize>(viewer.picture().bytes()));
    }
  }
  result.fps = static_cast<double>(result.frames) * 1000 / busy_ms;
  result.psnr = fidelity.psnr();
  result.ssim = fidelity.ssim();
  return result;
}

}  // namespace latentdesk
