#include "common/bench/stream_bench.h"

#include "common/bench/simulated_link.h"
#include "common/fidelity.h"
#include "common/raw_video.h"
#include "common/stream/canvas.h"
#include "common/stream/rate_control.h"
#include "common/stream/screen_state.h"

#include <ctime>
#include <fstream>
#include <limits>
#include <stdexcept>

namespace latentdesk {

namespace {

constexpr uint32_t kSlots = 4096;
constexpr size_t kMostRefinement = 128 * 1024;
// A server's frame by default. Its time does not pass, so that bytes are the same on every machine.
constexpr double kFrameMs = 1000.0 / 60;
constexpr auto kTick = std::chrono::milliseconds(1);
constexpr auto kLongestRest = std::chrono::seconds(3);
const SteadyTime kBegin{std::chrono::hours(1)};

SteadyClock::duration milliseconds_of(double ms) {
  return std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double, std::milli>(ms));
}

double processor_ms() { return static_cast<double>(std::clock()) * 1000 / CLOCKS_PER_SEC; }

/// A viewer without window and network, its link, and what the server knows of it.
class StreamViewer {
 public:
  StreamViewer(std::unique_ptr<Decoder> decoder, const Model& model, const BenchOptions& options,
               const StreamBenchOptions& stream)
      : model_(model),
        limited_(stream.link_rate > 0),
        refine_(stream.refine),
        round_trip_ms_(2 * stream.link_delay),
        canvas_(std::move(decoder), model.latent_channels, kSlots),
        rate_(options.quality),
        link_(stream.link_rate * 1e6 / 8, milliseconds_of(stream.link_delay)) {}

  void join(const ScreenState& state) {
    canvas_.reset(state.grid().size());
    known_ = state.new_viewer(kSlots);
    if (limited_) rate_.answered(round_trip_ms_, kBegin);
  }

  /// Sends what the link can take now.
  void serve(ScreenState& state, SteadyTime now) {
    while (!limited_ || rate_.may_send(now)) {
      const int quality = limited_ ? rate_.quality() : ceiling();
      auto updates = state.bring_up_to_date(known_, coding_quality(model_, quality));
      if (updates.empty() && refine_) {
        const Size size = state.grid().size();
        const size_t room = limited_ ? std::min(rate_.room(), kMostRefinement) : kMostRefinement;
        const Refinement how{.rest = rate_.rest(),
                             .x = size.width / 2,
                             .y = size.height / 2,
                             .bytes = room,
                             .soon = limited_ ? rate_.soon() : std::numeric_limits<size_t>::max()};
        if (auto refined = state.refine(known_, now, how)) {
          result.refinement_bytes += refined->bytes();
          updates.push_back(std::move(refined));
        }
      }
      if (updates.empty()) return;
      for (UpdatePtr& update : updates) send(std::move(update), now);
      if (!limited_) receive(now);
    }
  }

  void receive(SteadyTime now) {
    while (auto arrival = link_.receive(now)) {
      show(*arrival->message);
      rate_.acknowledged(++acknowledged_, now);
      result.latency.add(milliseconds(arrival->at - arrival->sent));
    }
  }

  bool is_exact(const ScreenState& state) const {
    return link_.is_empty() && known_.number() == state.number() && known_.is_exact();
  }
  uint64_t number() const { return canvas_.number(); }
  const Image& picture() const { return canvas_.picture(); }

  StreamBenchResult result;

 private:
  int ceiling() const { return rate_.quality(); }

  void send(UpdatePtr update, SteadyTime now) {
    rate_.sent(update->bytes(), now);
    result.bytes += update->bytes();
    ++result.updates;
    for (size_t i = 0; i < kParts; ++i) result.parts[i] += update->sizes[i];
    const size_t bytes = update->bytes();
    link_.send(std::move(update), bytes, now);
  }

  void show(const Update& update) {
    message_.assign(update.prefix.begin(), update.prefix.end());
    message_.insert(message_.end(), update.payload.begin(), update.payload.end());
    const MessageView parts = split_message(message_);
    canvas_.apply(parse_update_header(parts.header), parts.payload);
    result.unpack.add(canvas_.unpack_ms());
    result.decode.add(canvas_.decode_ms());
  }

  const Model& model_;
  const bool limited_;
  const bool refine_;
  const double round_trip_ms_;
  Canvas canvas_;
  ViewerState known_;
  RateControl rate_;
  SimulatedLink<UpdatePtr> link_;
  uint64_t acknowledged_ = 0;
  std::vector<uint8_t> message_;
};

/// The recording, the server's state and the viewers.
class StreamBench {
 public:
  StreamBench(const BenchOptions& options, const StreamBenchOptions& stream, const Model& model,
              const Backend& backend)
      : options_(options),
        video_(raw_path(options.source), options.size),
        picture_(options.size),
        state_({make_encoder(model, backend, options.threads), make_decoder(model, backend, options.threads),
                model.latent_channels},
               kSlots, FrameTime(kFrameMs)) {
    for (int i = 0; i < stream.viewers; ++i) {
      viewers_.push_back(std::make_unique<StreamViewer>(make_decoder(model, backend, options.threads), model,
                                                        options, stream));
    }
    decoded_.exceptions(std::ios::failbit | std::ios::badbit);
    if (!options.decoded.empty()) decoded_.open(options.decoded, std::ios::binary);
  }

  StreamBenchResult run() {
    const double processor_begin = processor_ms();
    const auto begin = SteadyClock::now();
    SteadyTime now = kBegin;
    while (video_.read(picture_.view())) {
      now = play_frame();
      compare();
    }
    StreamBenchResult& result = first().result;
    result.cpu_ms = (processor_ms() - processor_begin) / static_cast<double>(result.frames);
    result.fps = static_cast<double>(result.frames) * 1000 / milliseconds_since(begin);
    rest(now);
    result.psnr = fidelity_.psnr();
    result.ssim = fidelity_.ssim();
    return std::move(result);
  }

 private:
  StreamViewer& first() { return *viewers_.front(); }

  /// From the frame's time to that of the next one, which is returned.
  SteadyTime play_frame() {
    StreamBenchResult& result = first().result;
    const double ms = static_cast<double>(result.frames) * 1000 / options_.fps;
    const SteadyTime frame_begin = kBegin + milliseconds_of(ms),
                     end = frame_begin + milliseconds_of(1000 / options_.fps);
    const auto start = SteadyClock::now();
    if (state_.advance(picture_.view(), frame_begin, static_cast<int64_t>(ms))) last_change_ = frame_begin;
    if (result.frames == 0) {
      for (auto& viewer : viewers_) viewer->join(state_);
    }
    first().serve(state_, frame_begin);
    result.encode.add(milliseconds_since(start));
    for (SteadyTime now = frame_begin; now < end; now += kTick) tick(now);
    result.pack.add(0);  // it is part of encode
    if (result.frames++ == 0) result.first_bytes = result.bytes;
    return end;
  }

  void tick(SteadyTime now) {
    for (auto& viewer : viewers_) {
      viewer->receive(now);
      viewer->serve(state_, now);
    }
  }

  void compare() {
    const ImageView shown = first().picture().view();
    StreamBenchResult& result = first().result;
    fidelity_.add(picture_.view(), shown);
    Fidelity alone;
    alone.add(picture_.view(), shown);
    result.frame_psnr.push_back(alone.psnr());
    if (first().number() != state_.number()) ++result.skipped;
    if (!decoded_.is_open()) return;
    decoded_.write(reinterpret_cast<const char*>(first().picture().data()),
                   static_cast<std::streamsize>(first().picture().bytes()));
  }

  void rest(SteadyTime now) {
    const SteadyTime end = now + kLongestRest;
    while (!first().is_exact(state_) && now < end) {
      tick(now);
      now += kTick;
    }
    first().result.exact_ms = first().is_exact(state_) ? milliseconds(now - last_change_) : -1;
  }

  const BenchOptions& options_;
  RawVideo video_;
  Image picture_;
  ScreenState state_;
  std::vector<std::unique_ptr<StreamViewer>> viewers_;
  std::ofstream decoded_;
  Fidelity fidelity_;
  SteadyTime last_change_{};
};

}  // namespace

StreamBenchResult run_stream_bench(const BenchOptions& options, const StreamBenchOptions& stream,
                                   const Model& model, const Backend& backend) {
  return StreamBench(options, stream, model, backend).run();
}

}  // namespace latentdesk
