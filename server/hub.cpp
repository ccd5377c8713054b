#include "server/hub.h"

#include "common/clock.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace latentdesk {

namespace {
constexpr auto kRepeatPeriod = std::chrono::seconds(1);
}

Hub::Hub(boost::asio::io_context& context, Demand& demand, Upstream upstream)
    : context_(context),
      repeat_timer_(context),
      demand_(demand),
      upstream_(std::move(upstream)),
      sessions_(context, [this](uint64_t viewer) {
        stream_viewers_.erase(viewer);
        upstream_.remove(viewer);
      }) {}

void Hub::join(const std::shared_ptr<Viewer>& viewer) {
  viewers_.insert(viewer);
  // While nobody watched nothing was captured, so what is here may be old.
  if (viewers_.size() == 1) {
    newest_.reset();
    upstream_.want_cursor(true);
    upstream_.refresh();
  }
  if (newest_) viewer->offer(newest_);
  update_demand();
}

void Hub::leave(const std::shared_ptr<Viewer>& viewer) {
  viewers_.erase(viewer);
  if (viewers_.empty()) {
    repeat_timer_.cancel();
    upstream_.want_cursor(false);
  }
  update_demand();
}

SessionStart Hub::join(const std::shared_ptr<StreamViewer>& viewer, const SessionTerms& terms,
                       const std::optional<Resumption>& wish) {
  const auto resumed = wish ? sessions_.find(*wish, terms) : std::nullopt;
  if (resumed) stream_viewers_.erase(resumed->viewer);  // what is on its way there from the encoder is lost
  const uint64_t number = ++last_stream_viewer_;
  stream_viewers_.emplace(number, viewer);
  const auto hand_over = [weak = std::weak_ptr<StreamViewer>(viewer)] {
    const auto session = weak.lock();
    return session ? session->hand_over() : SessionProgress{};
  };
  if (!resumed) return {number, sessions_.begin(number, terms, hand_over), false};
  upstream_.resume(resumed->viewer, number, resumed->updates);
  return {number, sessions_.succeed(*wish, resumed->viewer, number, hand_over), true};
}

void Hub::leave(uint64_t viewer) {
  sessions_.end(viewer);
  stream_viewers_.erase(viewer);
  upstream_.remove(viewer);
  update_demand();
}

void Hub::park(uint64_t viewer, const SessionProgress& progress) {
  stream_viewers_.erase(viewer);
  upstream_.park(viewer);
  sessions_.park(viewer, progress);
  update_demand();
}

void Hub::request(uint64_t viewer, const StreamRequest& request) {
  upstream_.request(viewer, request);
  // Viewers that got the same update acknowledge it at about the same time: the encode thread is woken once.
  if (!std::exchange(will_wake_, true)) {
    boost::asio::post(context_, [this] {
      will_wake_ = false;
      upstream_.wake();
    });
  }
  update_demand();
}

void Hub::update_demand() {
  const bool wanted =
      std::any_of(viewers_.begin(), viewers_.end(), [](const auto& viewer) { return viewer->is_ready(); });
  if (wanted != std::exchange(packets_wanted_, wanted)) upstream_.want_packets(wanted);
  demand_.set(wanted || std::any_of(stream_viewers_.begin(), stream_viewers_.end(),
                                    [](const auto& entry) { return entry.second->is_ready(); }));
}

void Hub::deliver(std::vector<StreamDelivery> deliveries) {
  for (StreamDelivery& delivery : deliveries) {
    const auto found = stream_viewers_.find(delivery.viewer);
    if (found != stream_viewers_.end()) found->second->take(std::move(delivery));
  }
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
  for (const auto& [id, viewer] : stream_viewers_) viewer->close();
}

}  // namespace latentdesk
