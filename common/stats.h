#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace latentdesk {

/// Summary of a set of samples, in their unit.
struct Percentiles {
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
};

/// Samples of one stage. Keeps the newest `capacity` for percentiles, and the mean of all; adding never
/// allocates. One thread uses it.
class Samples {
 public:
  explicit Samples(size_t capacity = 8192);

  void add(double value);

  uint64_t count() const { return count_; }
  double last() const { return last_; }
  double mean() const { return count_ ? sum_ / static_cast<double>(count_) : 0; }
  /// Nearest-rank percentiles of the kept samples; zeros when there are none.
  Percentiles percentiles() const;

 private:
  std::vector<double> ring_;
  size_t capacity_;
  uint64_t count_ = 0;
  double sum_ = 0;
  double last_ = 0;
};

/// Events a second over a sliding window of the newest events. One thread uses it.
class RateMeter {
 public:
  explicit RateMeter(size_t window = 60);

  /// `now` in seconds, never decreasing.
  void add(double now);
  double per_second() const;

 private:
  std::vector<double> times_;
  uint64_t count_ = 0;
};

}  // namespace latentdesk
