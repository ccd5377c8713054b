#pragma once

#include "common/codec/cpu/executor.h"
#include "common/codec/latents.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <omp.h>
#include <vector>

namespace latentdesk::cpu {

/// Runs layers of a network on whole pictures and on batches of tiles, in pieces so small that what passes
/// between the layers stays in the cache. A thread that is done with a piece takes the next one, with
/// executors of its own. Executors are made when so many of a size are first asked for, and kept; of
/// pictures, only those of the last size.
class NetworkRunner {
 public:
  /// Rows of positions that are computed together.
  struct Strip {
    int first = 0;           ///< row that the executor's input begins with; it has rows_read() of them
    int begin = 0, end = 0;  ///< the rows that this strip is for: what is above and below, others compute
  };

  /// Layers [begin, end) of `network`, whose input is of `element`. Throws ModelError as Executor does, at
  /// the first picture.
  NetworkRunner(Network network, int begin, int end, Element element, int threads);

  bool in_bytes() const { return element_ != Element::float32; }
  int rows_read() const { return rows_read_; }

  /// Calls `run(executor, strip)` for each strip of a picture of this many positions, on several threads.
  template <typename Run>
  void for_strips(int height, int width, const Run& run) {
    cut(height, width);
    spread(strips_.size(), [&](size_t i, size_t thread) { run(*of_strips_[thread], strips_[i]); });
  }

  /// Calls `run(executor, first, count)` for all of `tiles` tiles, batch by batch, on several threads.
  template <typename Run>
  void for_tiles(size_t tiles, const Run& run) {
    form_batches(tiles);
    spread(batches_.size(), [&](size_t i, size_t thread) {
      const Batch& batch = batches_[i];
      run(*(*batch.executors)[thread], batch.first, batch.count);
    });
  }

 private:
  using Executors = std::vector<std::unique_ptr<Executor>>;  // one for each thread

  struct Batch {
    Executors* executors;
    size_t first, count;
  };

  /// Calls `body(piece, thread)` for each piece; rethrows what one of them threw.
  template <typename Body>
  void spread(size_t pieces, const Body& body) {
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic) num_threads(threads_for(pieces))
    for (size_t i = 0; i < pieces; ++i) {
      try {
        body(i, static_cast<size_t>(omp_get_thread_num()));
      } catch (...) {
#pragma omp critical
        failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
  }

  int threads_for(size_t pieces) const {
    return static_cast<int>(std::min(pieces, static_cast<size_t>(threads_)));
  }
  void cut(int height, int width);
  void form_batches(size_t tiles);
  /// So that each of the threads for so many pieces has one.
  void make_executors(Executors& executors, size_t pieces, int batch, int height, int width) const;

  static constexpr std::array<size_t, 4> kBatchSizes = {8, 4, 2, 1};

  Network network_;
  int begin_;
  int end_;
  Element element_;
  int threads_;
  int reach_;  ///< how far the network sees, in rows of its input

  int height_ = 0, width_ = 0;
  int rows_read_ = 0;
  std::vector<Strip> strips_;
  Executors of_strips_;
  std::vector<Batch> batches_;
  std::array<Executors, kBatchSizes.size()> of_batches_;
};

}  // namespace latentdesk::cpu
