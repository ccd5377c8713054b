#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace latentdesk::cuda {

/// Sizes of the batches in which tiles go through a network; each has its own plan. One more may hold all the
/// tiles of a screen.
inline constexpr std::array<size_t, 5> kTileBatches = {1, 4, 16, 64, 256};

/// Size of the batch to run next when `remaining` tiles wait (at least one): the smallest that holds them all
/// if they fill at least half of it, else the largest that they fill. `all` is the size of the additional
/// batch, or 0.
inline size_t next_tile_batch(size_t remaining, size_t all) {
  size_t holds_all = 0, filled = kTileBatches.front();
  const auto consider = [&](size_t size) {
    if (size >= remaining && (holds_all == 0 || size < holds_all)) holds_all = size;
    if (size <= remaining) filled = std::max(filled, size);
  };
  for (const size_t size : kTileBatches) consider(size);
  if (all > 0) consider(all);
  return holds_all > 0 && remaining * 2 >= holds_all ? holds_all : filled;
}

}  // namespace latentdesk::cuda
