#include "server/encode_loop.h"

#include "common/clock.h"
#include "server/x11_cursor.h"

#include <spdlog/spdlog.h>

namespace latentdesk {

namespace {

constexpr auto kLogPeriod = std::chrono::seconds(10);

std::optional<SteadyTime> earlier(std::optional<SteadyTime> a, std::optional<SteadyTime> b) {
  return a && b ? std::min(a, b) : (a ? a : b);
}

}  // namespace

EncodeLoop::EncodeLoop(Encoders encoders, const Model& model, int quality, double max_fps, GpuBudget budget,
                       Latest<Frame>& frames, Doorbell& bell, Events events)
    : encoder_(std::move(encoders.pictures)),
      stream_({std::move(encoders.tiles), std::move(encoders.tile_decoder), model.latent_channels}, model,
              max_fps, events.on_delivery),
      scale_(model.scale_for_quality(quality)),
      model_ver_(model.wire_version()),
      budget_(budget),
      frames_(frames),
      bell_(bell),
      events_(std::move(events)) {}

void EncodeLoop::run() {
  std::optional<SteadyTime> next;
  while (bell_.wait(next)) {
    next.reset();
    if (budget_.earliest() > SteadyClock::now()) {
      next = budget_.earliest();
      continue;
    }
    if (const auto frame = frames_.try_take()) take(*frame);
    next = earlier(stream_.serve(), next);
    budget_.spend(stream_.take_device_ms(), SteadyClock::now());
    const bool lacks_packet = packets_wanted_ && std::exchange(missed_, false);
    if (stream_.take_lack_of_picture() || lacks_packet) events_.on_missed();
    log_statistics();
  }
}

void EncodeLoop::want_packets(bool wanted) {
  packets_wanted_ = wanted;
  if (wanted) bell_.ring();
}

void EncodeLoop::request(uint64_t viewer, const StreamRequest& request) { stream_.request(viewer, request); }

void EncodeLoop::remove(uint64_t viewer) { stream_.remove(viewer); }

void EncodeLoop::set_focus(int x, int y) { stream_.set_focus(x, y); }

void EncodeLoop::take(const Frame& frame) {
  if (stream_.has_viewers()) {
    stream_.show(frame.view(), static_cast<int64_t>(frame.timestamp * 1000));
    stream_.serve();  // before the baseline, which must not slow it
  }
  missed_ = !packets_wanted_;
  if (!packets_wanted_) return;
  // Only now: those of latentdesk.2 draw the pointer themselves, and the screen's state is without it.
  if (frame.cursor) draw_cursor(*frame.cursor, frame.view());
  events_.on_packet(encode(frame));
}

PacketPtr EncodeLoop::encode(const Frame& frame) {
  const ImageView image = frame.view();
  auto payload = payloads_.take();
  const FrameEncoder::Result result = encoder_.encode(image, scale_, *payload);
  encode_ms_.add(result.encode_ms);
  pack_ms_.add(result.pack_ms);
  budget_.spend(result.device_ms, SteadyClock::now());
  bytes_.add(static_cast<double>(payload->size()));
  if (result.scale > scale_)
    spdlog::debug("frame coarsened to fit a message: scale {} for {}", result.scale, scale_);
  return std::make_shared<const Packet>(
      FrameHeader{result.shape, result.scale, image.size, frame.timestamp, model_ver_}, std::move(payload));
}

void EncodeLoop::log_statistics() {
  const auto now = SteadyClock::now();
  if (now - last_log_ < kLogPeriod) return;
  const double seconds = milliseconds(now - last_log_) / 1000;
  const auto rate = [seconds](uint64_t count, uint64_t& logged) {
    return static_cast<double>(count - std::exchange(logged, count)) / seconds;
  };
  if (const double frames = rate(encode_ms_.count(), logged_frames_); frames > 0) {
    spdlog::info(
        "baseline: {:.1f} frames a second, encode {:.1f} ms, pack {:.1f} ms, {:.0f} kB a frame (medians)",
        frames, encode_ms_.percentiles().p50, pack_ms_.percentiles().p50, bytes_.percentiles().p50 / 1000);
  }
  if (const double updates = rate(stream_.bytes().count(), logged_updates_); updates > 0) {
    spdlog::info("stream: {:.1f} updates a second, encode {:.1f} ms, {:.1f} kB an update (medians)", updates,
                 stream_.encode_ms().percentiles().p50, stream_.bytes().percentiles().p50 / 1000);
  }
  if (const double used = budget_.used_percent(now); used > 0)
    spdlog::info("{:.1f} % of the GPU's time", used);
  last_log_ = now;
}

}  // namespace latentdesk
