#include "server/stream_encoder.h"

#include <algorithm>

namespace latentdesk {

namespace {

// 64 MiB of stored tiles.
constexpr uint32_t kSlots = 4096;
// A refinement is cut so small that new damage never waits long behind it.
constexpr size_t kMostRefinement = 128 * 1024;
// Of updates that a parked viewer has not acknowledged: about a megabyte. One that had more begins anew.
constexpr size_t kMostParkedOperations = 16384;

}  // namespace

StreamEncoder::StreamEncoder(ContentEncoder encoder, const Model& model, double max_fps,
                             std::function<void(std::vector<StreamDelivery>)> deliver)
    : model_(model),
      deliver_(std::move(deliver)),
      state_(std::move(encoder), kSlots, FrameTime(1000 / max_fps, SteadyClock::now)) {}

void StreamEncoder::post(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  inbox_.push_back(std::move(task));
}

void StreamEncoder::request(uint64_t viewer, const StreamRequest& request) {
  post([this, viewer, request] {
    StreamRequest& pending = active_[viewer];
    const bool afresh = pending.afresh || request.afresh;  // is not to be lost by a later request
    pending = request;
    pending.afresh = afresh;
  });
}

void StreamEncoder::park(uint64_t viewer) {
  post([this, viewer] {
    active_.erase(viewer);
    const auto found = viewers_.find(viewer);
    if (found != viewers_.end() && found->second.log.operations() > kMostParkedOperations)
      viewers_.erase(found);
  });
}

void StreamEncoder::resume(uint64_t from, uint64_t to, uint64_t updates) {
  post([this, from, to, updates] {
    active_.erase(from);
    auto viewer = viewers_.extract(from);
    if (viewer.empty()) return;
    viewer.key() = to;
    viewer.mapped().known = viewer.mapped().log.rewind(updates);
    viewers_.insert(std::move(viewer));
  });
}

void StreamEncoder::remove(uint64_t viewer) {
  post([this, viewer] {
    active_.erase(viewer);
    viewers_.erase(viewer);
  });
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
  std::vector<std::function<void()>> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(inbox_);
  }
  for (const auto& task : tasks) task();
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
  if (is_stale_) {
    lacks_picture_ = !active_.empty();
    return next;
  }
  for (auto& [id, request] : active_) {
    if (!request.ready) continue;
    Viewer& viewer = viewers_[id];
    viewer.log.acknowledged(request.applied);
    if (request.afresh) viewer.known.epoch = 0;
    request.afresh = false;
    if (serve(id, viewer, request)) {
      request.ready = false;
    } else if (const auto rested = state_.next_refinement(viewer.known.state, request.rest)) {
      next = std::min(next.value_or(*rested), *rested);
    }
  }
  if (!made_.empty()) deliver_(std::exchange(made_, {}));
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
  if (viewer.known.epoch != state_.epoch()) {
    viewer.known = {state_.new_viewer(request.slots), state_.epoch()};
    viewer.log.begin(viewer.known);
    delivery.resized = state_.grid().size();
  }
  delivery.updates =
      state_.bring_up_to_date(viewer.known.state, coding_quality(model_, rung(request.quality)));
  if (delivery.updates.empty()) {
    UpdatePtr refined = state_.refine(viewer.known.state, start, refinement(request));
    if (!refined) return false;
    delivery.updates.push_back(std::move(refined));
  }
  for (const UpdatePtr& update : delivery.updates) viewer.log.sent(*update);
  count(delivery, start);
  made_.push_back(std::move(delivery));
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
