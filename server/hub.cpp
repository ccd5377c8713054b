#include "server/hub.h"

#include "common/clock.h"

#include <algorithm>

namespace latentdesk {

namespace {
constexpr auto kRepeatPeriod = std::chrono::seconds(1);
}

Hub::Hub(boost::asio::io_context& context, Demand& demand, std::function<void()> refresh)
    : repeat_timer_(context), demand_(demand), refresh_(std::move(refresh)) {}

void Hub::join(const std::shared_ptr<Viewer>& viewer) {
  viewers_.insert(viewer);
  // While nobody watched nothing was captured, so what is here may be old.
  if (viewers_.size() == 1) {
    newest_.reset();
    refresh_();
  }
  if (newest_) viewer->offer(newest_);
  update_demand();
}

void Hub::leave(const std::shared_ptr<Viewer>& viewer) {
  viewers_.erase(viewer);
  if (viewers_.empty()) repeat_timer_.cancel();
  update_demand();
}

void Hub::update_demand() {
  demand_.set(
      std::any_of(viewers_.begin(), viewers_.end(), [](const auto& viewer) { return viewer->is_ready(); }));
}

void Hub::deliver(PacketPtr packet) {
  if (viewers_.empty()) return;
  newest_ = std::move(packet);
  broadcast();
}

void Hub::broadcast() {
  for (const auto& viewer : viewers_) viewer->offer(newest_);
  update_demand();
  repeat_later();
}

void Hub::repeat_later() {
  repeat_timer_.expires_after(kRepeatPeriod);
  repeat_timer_.async_wait([this](boost::system::error_code error) {
    if (error || viewers_.empty() || !newest_) return;
    FrameHeader header = newest_->header;
    header.timestamp = epoch_seconds();  // the picture is the same, and it is the screen's picture now
    newest_ = std::make_shared<const Packet>(std::move(header), newest_->payload);
    broadcast();
  });
}

void Hub::close_all() {
  repeat_timer_.cancel();
  for (const auto& viewer : viewers_) viewer->close();
}

}  // namespace latentdesk
