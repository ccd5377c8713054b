#include "common/stream/screen_state.h"

#include "common/stream/compare.h"

#include <cstring>
#include <numeric>
#include <tuple>

namespace latentdesk {

namespace {

using Kind = Operation::Kind;

// A tile that has shown the same for so long may be shown again when what covers it has gone.
constexpr auto kRestBeforeStore = std::chrono::milliseconds(250);
// Fewer changed blocks are not worth a search for what has moved.
constexpr int kLeastBlocksToSearch = 12;
// A recalled part costs about as much as two blocks of content.
constexpr int kLeastBlocksToRecall = 3;
// A viewer that is further behind gets the newest content instead of every difference in between. Small ones
// are kept for longer: even many are less than the content of the tiles that they change, as in a terminal.
constexpr size_t kHistory = 3;
constexpr size_t kLongHistory = 16;
constexpr size_t kLongHistoryBytes = 16 * 1024;

constexpr size_t kMaxRefinedTiles = 32;

int64_t squared_distance(const Rect& tile, int x, int y) {
  const int64_t dx = tile.x + tile.width / 2 - x, dy = tile.y + tile.height / 2 - y;
  return dx * dx + dy * dy;
}

}  // namespace

ScreenState::ScreenState(ContentEncoder encoder, uint32_t slots, FrameTime frame)
    : encoder_(std::move(encoder)), store_(slots), frame_(std::move(frame)), slots_(slots) {}

void ScreenState::reset(Size size) {
  grid_ = TileGrid(size);
  screen_.resize(size);
  std::fill_n(screen_.data(), screen_.bytes(), uint8_t{0});
  ++epoch_;
  number_ = 0;
  made_.clear();
  history_.clear();
  tiles_.assign(grid_.tiles(), {});
  compared_.assign(grid_.tiles(), 0);
  changed_.assign(grid_.tiles(), 0);
  rest_.assign(grid_.tiles(), 0);
  store_.reset(grid_);
}

ViewerState ScreenState::new_viewer(uint32_t slots) const {
  ViewerState viewer;
  viewer.reset(grid_, std::min(slots, slots_));
  return viewer;
}

bool ScreenState::advance(ImageView picture, SteadyTime now, int64_t time_ms) {
  frame_.begin();
  if (picture.size != grid_.size()) reset(picture.size);
  if (!find_changes(picture)) return false;
  time_ms_ = time_ms;
  keep_history();
  ++number_;
  stores_and_copies_.clear();
  recalls_.clear();
  if (number_ > 1) {
    find_recalls(picture);
    store_rested(now);
    size_t blocks = 0;
    for (const BlockMask mask : rest_) blocks += static_cast<size_t>(std::popcount(mask));
    if (blocks >= kLeastBlocksToSearch) {
      for (const Movement& movement : motion_.find(screen_.view(), picture, grid_, rest_)) {
        stores_and_copies_.push_back(
            {.kind = Kind::copy, .to = movement.to, .dx = movement.dx, .dy = movement.dy});
      }
    }
  }
  take_over(picture, now);
  return true;
}

bool ScreenState::find_changes(ImageView picture) {
  const ImageView screen = screen_.view();
  bool any = false;
  for (size_t tile = 0; tile < grid_.tiles(); ++tile) {
    const Rect rect = grid_.rect(tile);
    compared_[tile] = number_ == 0 ? kWholeTile : different_blocks(part(picture, rect), part(screen, rect));
    any |= compared_[tile] != 0;
  }
  if (!any) return false;  // how the last update came about may still be asked for
  changed_.swap(compared_);
  rest_ = changed_;
  return true;
}

void ScreenState::find_recalls(ImageView picture) {
  for (uint32_t tile = 0; tile < grid_.tiles(); ++tile) {
    if (rest_[tile] == 0) continue;
    const TileStore::Match match = store_.find(picture, tile, rest_[tile]);
    if (std::popcount(match.mask) < kLeastBlocksToRecall) continue;
    store_.use(match.slot, number_);
    rest_[tile] &= ~match.mask;
    recalls_.push_back({{match.slot, whole_if_all(tile, match.mask)}, tile, store_.generation(match.slot)});
  }
}

void ScreenState::store_rested(SteadyTime now) {
  for (uint32_t tile = 0; tile < grid_.tiles(); ++tile) {
    if (changed_[tile] == 0 || now - tiles_[tile].changed < kRestBeforeStore) continue;
    if (store_.contains(screen_.view(), tile)) continue;
    const int slot = store_.store(screen_.view(), tile, number_);
    if (slot < 0) return;
    stores_and_copies_.push_back({.kind = Kind::store, .tile = tile, .slot = static_cast<uint32_t>(slot)});
  }
}

void ScreenState::take_over(ImageView picture, SteadyTime now) {
  for (size_t tile = 0; tile < grid_.tiles(); ++tile) {
    if (changed_[tile] == 0) continue;
    tiles_[tile] = {number_, now};
    const Rect rect = grid_.rect(tile);
    for (int y = rect.y; y < rect.bottom(); ++y) {
      std::memcpy(screen_.view().row(y) + rect.x * kBytesPerPixel, picture.row(y) + rect.x * kBytesPerPixel,
                  static_cast<size_t>(rect.width) * kBytesPerPixel);
    }
  }
}

void ScreenState::keep_history() {
  const auto direct = std::find_if(made_.begin(), made_.end(), [this](const Made& made) {
    return made.from + 1 == number_ && made.from > 0;
  });
  if (direct == made_.end()) {
    history_.clear();  // a gap: nobody can go over it
  } else {
    history_.push_back(direct->update);
  }
  const auto bytes = [this] {
    return std::accumulate(history_.begin(), history_.end(), size_t{0},
                           [](size_t sum, const UpdatePtr& update) { return sum + update->bytes(); });
  };
  while (history_.size() > kLongHistory || (history_.size() > kHistory && bytes() > kLongHistoryBytes))
    history_.pop_front();
  made_.clear();
}

bool ScreenState::can_follow(const ViewerState& viewer, const Update& update) {
  if (viewer.number() == 0 || update.number != viewer.number() + 1) return false;
  size_t recall = 0;
  for (const Operation& operation : *update.operations) {
    if (operation.kind == Kind::store && operation.slot >= viewer.slots()) return false;
    if (operation.kind == Kind::recall && !viewer.holds(operation.slot, update.generations[recall++]))
      return false;
  }
  return true;
}

std::vector<UpdatePtr> ScreenState::bring_up_to_date(ViewerState& viewer, const CodingQuality& quality) {
  std::vector<UpdatePtr> updates;
  if (viewer.number() == number_) return updates;
  const auto send = [&](UpdatePtr update) {
    viewer.apply(*update->operations, update->number);
    updates.push_back(std::move(update));
  };
  for (const UpdatePtr& update : history_) {
    if (can_follow(viewer, *update)) send(update);
  }
  const bool follows = viewer.number() > 0 && viewer.number() + 1 == number_;
  send(follows ? difference(viewer, quality) : catch_up(viewer, quality));
  return updates;
}

UpdatePtr ScreenState::difference(const ViewerState& viewer, const CodingQuality& quality) {
  std::vector<Operation> reused;
  for (const Operation& operation : stores_and_copies_) {
    if (operation.kind == Kind::copy || operation.slot < viewer.slots()) reused.push_back(operation);
  }
  std::vector<BlockMask> masks = rest_;
  for (const Recall& recall : recalls_) {
    if (viewer.holds(recall.match.slot, recall.generation)) {
      reused.push_back(
          {.kind = Kind::recall, .tile = recall.tile, .mask = recall.match.mask, .slot = recall.match.slot});
    } else {
      masks[recall.tile] |= recall.match.mask;
    }
  }
  std::vector<TilePart> parts;
  for (uint32_t tile = 0; tile < grid_.tiles(); ++tile) {
    if (masks[tile] != 0) parts.push_back({tile, whole_if_all(tile, masks[tile])});
  }
  return make(number_ - 1, quality, std::move(reused), std::move(parts));
}

UpdatePtr ScreenState::catch_up(const ViewerState& viewer, const CodingQuality& quality) {
  std::vector<TilePart> parts;
  for (uint32_t tile = 0; tile < grid_.tiles(); ++tile) {
    if (tiles_[tile].number > viewer.number()) parts.push_back({tile, kWholeTile});
  }
  return make(viewer.number(), quality, {}, std::move(parts));
}

UpdatePtr ScreenState::make(uint64_t from, const CodingQuality& quality, std::vector<Operation> reused,
                            std::vector<TilePart> parts) {
  const auto found = std::find_if(made_.begin(), made_.end(), [&](const Made& made) {
    return made.from == from && made.quality == quality && made.parts == parts && made.reused == reused;
  });
  if (found != made_.end()) return found->update;
  frame_.go_on();
  auto update = std::make_shared<Update>();
  update->number = number_;
  Operations operations = reused;
  for (const Operation& operation : reused) {
    if (operation.kind == Kind::recall) update->generations.push_back(store_.generation(operation.slot));
  }
  content_.clear();
  encoder_.encode(screen_.view(), grid_, parts, quality, operations, content_);
  append_operations(operations, content_.operations);
  update->operations = std::make_shared<const Operations>(std::move(operations));
  UpdateHeader header{
      .number = number_, .time_ms = time_ms_, .scale = quality.scale, .sizes = {}, .packed = {}};
  packer_.pack(content_, header, update->payload, frame_);
  update->sizes = header.sizes;
  update->prefix = serialize_update_prefix(header);
  made_.push_back({from, quality, std::move(reused), std::move(parts), update});
  return update;
}

std::vector<TilePart> ScreenState::rested(const ViewerState& viewer, SteadyTime now,
                                          const Refinement& how) const {
  std::vector<TilePart> parts;
  for (uint32_t tile = 0; tile < grid_.tiles(); ++tile) {
    if (viewer.lossy(tile) == 0 || now - tiles_[tile].changed < how.rest) continue;
    parts.push_back({tile, whole_if_all(tile, viewer.lossy(tile))});
  }
  const auto distance = [&](const TilePart& part) {
    return squared_distance(grid_.rect(part.tile), how.x, how.y);
  };
  std::sort(parts.begin(), parts.end(),
            [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  return parts;
}

UpdatePtr ScreenState::refine(ViewerState& viewer, SteadyTime now, const Refinement& how) {
  if (viewer.number() != number_ || number_ == 0) return nullptr;
  const auto bytes_of = [this](size_t pixels, size_t near) {
    return refined_bytes_per_pixel_[near] * static_cast<double>(pixels);
  };
  std::vector<TilePart> lossy = rested(viewer, now, how);
  size_t pixels = 0;
  for (const TilePart& part : lossy) pixels += pixels_in({kTileSide, kTileSide}, part.mask);
  const bool long_way = bytes_of(pixels, 0) > static_cast<double>(how.soon);
  const auto end_of_coarse = std::stable_partition(
      lossy.begin(), lossy.end(), [&](const TilePart& part) { return viewer.coarse(part.tile) != 0; });
  const size_t near = long_way && end_of_coarse != lossy.begin();
  if (near != 0) lossy.erase(end_of_coarse, lossy.end());

  std::vector<TilePart> parts;
  pixels = 0;
  for (const TilePart& part : lossy) {
    if (parts.size() == kMaxRefinedTiles) break;
    if (!parts.empty() && bytes_of(pixels, near) >= static_cast<double>(how.bytes)) break;
    parts.push_back(part);
    pixels += pixels_in({kTileSide, kTileSide}, part.mask);
  }
  if (parts.empty()) return nullptr;
  std::sort(parts.begin(), parts.end(), [](const TilePart& a, const TilePart& b) { return a.tile < b.tile; });
  CodingQuality quality;
  quality.exact = true;
  quality.error = near != 0 ? kNearError : 0;
  UpdatePtr update = make(number_, quality, {}, std::move(parts));
  refined_bytes_per_pixel_[near] = static_cast<double>(update->bytes()) / static_cast<double>(pixels);
  viewer.apply(*update->operations, number_);
  return update;
}

std::optional<SteadyTime> ScreenState::next_refinement(const ViewerState& viewer,
                                                       SteadyClock::duration rest) const {
  std::optional<SteadyTime> next;
  for (size_t tile = 0; tile < grid_.tiles(); ++tile) {
    if (viewer.lossy(tile) == 0) continue;
    const SteadyTime rested = tiles_[tile].changed + rest;
    if (!next || rested < *next) next = rested;
  }
  return next;
}

}  // namespace latentdesk
