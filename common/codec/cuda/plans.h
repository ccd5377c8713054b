#pragma once

#include "common/codec/cuda/network_plan.h"
#include "common/codec/cuda/tile_batches.h"

#include <map>
#include <optional>
#include <string>

namespace latentdesk::cuda {

/// Layers of a network, ready for the picture size that was last asked for and for batches of tiles. One
/// thread uses it.
class Plans {
 public:
  Plans(const Context& context, Network network, int begin, int end)
      : context_(context),
        network_(std::move(network)),
        weights_(upload_weights(context, network_)),
        begin_(begin),
        end_(end) {}

  void prepare(Size picture, LatentShape shape) {
    for_picture(shape);
    const auto tiles = [](int side) { return static_cast<size_t>((side + kTileSide - 1) / kTileSide); };
    all_tiles_ = tiles(picture.width) * tiles(picture.height);
    std::erase_if(batches_, [this](const auto& batch) { return !is_wanted(batch.first); });
    for (const size_t size : kTileBatches) for_batch(size);
    for_batch(all_tiles_);
  }

  NetworkPlan& for_picture(LatentShape shape) {
    if (!picture_ || shape != picture_shape_) {
      picture_.reset();  // before the new one takes its memory
      picture_.emplace(context_, network_, weights_, begin_, end_, Shape{1, shape.height, shape.width});
      picture_shape_ = shape;
    }
    return *picture_;
  }

  /// Calls `run(plan, first, count)` for all of `tiles` tiles, batch by batch; a batch may hold more than
  /// count.
  template <typename Run>
  void for_tiles(size_t tiles, const Run& run) {
    for (size_t first = 0; first < tiles;) {
      const size_t batch = next_tile_batch(tiles - first, all_tiles_);
      const size_t count = std::min(batch, tiles - first);
      run(for_batch(batch), first, count);
      first += count;
    }
  }

  std::string description() const {
    std::string text;
    if (picture_) text += picture_->description();
    for (const auto& [size, plan] : batches_) {
      text += "batch of " + std::to_string(size) + " tiles\n" + plan.description();
    }
    return text;
  }

 private:
  bool is_wanted(size_t batch) const {
    return batch == all_tiles_ ||
           std::find(kTileBatches.begin(), kTileBatches.end(), batch) != kTileBatches.end();
  }

  NetworkPlan& for_batch(size_t size) {
    const Shape shape{static_cast<int>(size), kTileLatentSide, kTileLatentSide};
    return batches_.try_emplace(size, context_, network_, weights_, begin_, end_, shape).first->second;
  }

  const Context& context_;
  Network network_;
  NetworkWeights weights_;
  int begin_;
  int end_;
  LatentShape picture_shape_;
  std::optional<NetworkPlan> picture_;
  std::map<size_t, NetworkPlan> batches_;
  size_t all_tiles_ = 0;
};

}  // namespace latentdesk::cuda
