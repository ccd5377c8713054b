#include "server/encode_loop.h"

#include "common/clock.h"

#include <spdlog/spdlog.h>

#include <thread>

namespace latentdesk {

namespace {
constexpr auto kLogPeriod = std::chrono::seconds(10);
}

EncodeLoop::EncodeLoop(std::unique_ptr<Encoder> encoder, const Model& model, int quality, GpuBudget budget,
                       Demand& demand, Latest<Frame>& frames, Deliver deliver)
    : encoder_(std::move(encoder)),
      scale_(model.scale_for_quality(quality)),
      model_ver_(model.wire_version()),
      budget_(budget),
      demand_(demand),
      frames_(frames),
      deliver_(std::move(deliver)) {}

void EncodeLoop::run() {
  // Demand first: the frame that is then taken is the newest.
  while (demand_.wait()) {
    std::this_thread::sleep_until(budget_.earliest());
    auto frame = frames_.take();
    if (!frame) return;
    deliver_(encode(*frame));
    log_statistics();
  }
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
  spdlog::info(
      "{:.1f} frames a second, encode {:.1f} ms, pack {:.1f} ms, {:.0f} kB a frame (medians), {} frames "
      "replaced",
      static_cast<double>(encode_ms_.count() - logged_frames_) / seconds, encode_ms_.percentiles().p50,
      pack_ms_.percentiles().p50, bytes_.percentiles().p50 / 1000, frames_.dropped());
  if (const double used = budget_.used_percent(now); used > 0)
    spdlog::info("{:.1f} % of the GPU's time", used);
  last_log_ = now;
  logged_frames_ = encode_ms_.count();
}

}  // namespace latentdesk
