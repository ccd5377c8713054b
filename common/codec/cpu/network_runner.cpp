#include "common/codec/cpu/network_runner.h"

#include "common/codec/codec.h"

#include <algorithm>

namespace latentdesk::cpu {

namespace {

/// About as many rows as share the cache with what the layers make of them.
constexpr int kStripRows = 16;

constexpr int divided_up(int value, int by) { return (value + by - 1) / by; }

/// How far the layers see to each side at most, in positions of their input.
int reach_of(const Network& network, int begin, int end, int input_downscale) {
  int pixels = 0;
  for (int i = begin; i < end; ++i) {
    const Layer& layer = network[static_cast<size_t>(i)];
    pixels += layer.kernel / 2 * layer.downscale;
  }
  return divided_up(pixels, input_downscale);
}

}  // namespace

NetworkRunner::NetworkRunner(Network network, int begin, int end, Element element, int threads)
    : network_(std::move(network)),
      begin_(begin),
      end_(end),
      element_(element),
      threads_(threads),
      reach_(reach_of(network_, begin, end, kLatentStride)) {}

void NetworkRunner::cut(int height, int width) {
  if (height == height_ && width == width_) return;
  of_strips_.clear();  // before others take their memory
  height_ = 0;
  const int rounds = divided_up(height, kStripRows * threads_);
  const int rows = divided_up(height, rounds * threads_);
  rows_read_ = std::min(height, rows + 2 * reach_);
  strips_.clear();
  for (int begin = 0; begin < height; begin += rows) {
    const int first = std::clamp(begin - reach_, 0, height - rows_read_);
    strips_.push_back({first, begin, std::min(begin + rows, height)});
  }
  make_executors(of_strips_, strips_.size(), 1, rows_read_, width);
  height_ = height;
  width_ = width;
}

/// The largest batches that give work to every thread; the rest, smaller ones.
void NetworkRunner::form_batches(size_t tiles) {
  const auto threads = static_cast<size_t>(threads_);
  batches_.clear();
  size_t first = 0;
  for (size_t i = 0; i < kBatchSizes.size(); ++i) {
    const size_t count = kBatchSizes[i];
    while (tiles - first >= (count == 1 ? 1 : count * threads)) {
      batches_.push_back({&of_batches_[i], first, count});
      first += count;
    }
  }
  for (const Batch& batch : batches_) {
    make_executors(*batch.executors, batches_.size(), static_cast<int>(batch.count), kTileLatentSide,
                   kTileLatentSide);
  }
}

void NetworkRunner::make_executors(Executors& executors, size_t pieces, int batch, int height,
                                   int width) const {
  omp_set_num_threads(1);  // what an executor is made for
  while (executors.size() < static_cast<size_t>(threads_for(pieces))) {
    executors.push_back(std::make_unique<Executor>(network_, begin_, end_, element_, batch, height, width));
  }
}

}  // namespace latentdesk::cpu
