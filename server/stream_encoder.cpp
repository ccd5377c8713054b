#include "server/stream_encoder.h"

#include <algorithm>

namespace latentdesk {

namespace {

// 64 MiB of stored tiles.
constexpr uint32_t kSlots = 4096;
// A refinement is cut so small that new damage never waits long behind it.
constexpr size_t kMostRefinement = 128 * 1024;

}  // namespace

StreamEncoder::StreamEncoder(ContentEncoder encoder, const Model& model,
                             std::function<void(StreamDelivery)> deliver)
    : model_(model), deliver_(std::move(deliver)), state_(std::move(encoder), kSlots) {}

void StreamEncoder::request(uint64_t viewer, const StreamRequest& request) {
  std::lock_guard lock(mutex_);
  StreamRequest& pending = requested_[viewer];
  const bool afresh = pending.afresh || request.afresh;  // is not to be lost by a later request
  pending = request;
  pending.afresh = afresh;
}

void StreamEncoder::remove(uint64_t viewer) {
  std::lock_guard lock(mutex_);
  removed_.push_back(viewer);
}

void StreamEncoder::set_focus(int x, int y) {
  std::lock_guard lock(mutex_);
  focus_ = {x, y};
}

Refinement StreamEncoder::refinement(const StreamRequest& request) {
  const Size size = state_.grid().size();
  std::lock_guard lock(mutex_);
  const auto [x, y] = focus_.value_or(std::pair(size.width / 2, size.height / 2));
  return {.rest = request.rest,
          .x = x,
          .y = y,
          .bytes = std::min(request.room, kMostRefinement),
          .soon = request.soon};
}

void StreamEncoder::take_requests() {
  std::lock_guard lock(mutex_);
  for (auto& [id, request] : requested_) active_[id] = request;
  requested_.clear();
  for (const uint64_t id : removed_) {
    active_.erase(id);
    viewers_.erase(id);
  }
  removed_.clear();
  is_stale_ |= active_.empty();
}

bool StreamEncoder::has_viewers() {
  take_requests();
  return !active_.empty();
}

void StreamEncoder::show(ImageView picture, int64_t time_ms) {
  state_.advance(picture, SteadyClock::now(), time_ms);
  is_stale_ = false;
}

std::optional<SteadyTime> StreamEncoder::serve() {
  take_requests();
  std::optional<SteadyTime> next;
  if (is_stale_) return next;
  for (auto& [id, request] : active_) {
    if (!request.ready) continue;
    Viewer& viewer = viewers_[id];
    if (request.afresh) viewer.epoch = 0;
    request.afresh = false;
    if (serve(id, viewer, request)) {
      request.ready = false;
    } else if (const auto rested = state_.next_refinement(viewer.known, request.rest)) {
      next = std::min(next.value_or(*rested), *rested);
    }
  }
  return next;
}

int StreamEncoder::rung(int quality) const {
  const auto by_quality = [](const auto& a, const auto& b) { return a.second.quality < b.second.quality; };
  const auto [low, high] = std::minmax_element(active_.begin(), active_.end(), by_quality);
  const int lowest = low->second.quality, highest = high->second.quality;
  return quality * 2 >= lowest + highest ? highest : lowest;
}

bool StreamEncoder::serve(uint64_t id, Viewer& viewer, const StreamRequest& request) {
  const auto start = SteadyClock::now();
  StreamDelivery delivery{id, std::nullopt, {}};
  if (viewer.epoch != state_.epoch()) {
    viewer.known = state_.new_viewer(request.slots);
    viewer.epoch = state_.epoch();
    delivery.resized = state_.grid().size();
  }
  delivery.updates = state_.bring_up_to_date(viewer.known, coding_quality(model_, rung(request.quality)));
  if (delivery.updates.empty()) {
    UpdatePtr refined = state_.refine(viewer.known, start, refinement(request));
    if (!refined) return false;
    delivery.updates.push_back(std::move(refined));
  }
  count(delivery, start);
  deliver_(std::move(delivery));
  return true;
}

void StreamEncoder::count(const StreamDelivery& delivery, SteadyTime start) {
  device_ms_ += state_.take_device_ms();
  encode_ms_.add(milliseconds_since(start));
  size_t bytes = 0;
  for (const UpdatePtr& update : delivery.updates) bytes += update->bytes();
  bytes_.add(static_cast<double>(bytes));
}

}  // namespace latentdesk
