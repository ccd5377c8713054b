#include "common/stats.h"

#include <algorithm>
#include <cmath>

namespace latentdesk {

namespace {

/// `sorted` holds at least one value.
double nearest_rank(std::span<const double> sorted, double fraction) {
  const double rank = std::ceil(fraction * static_cast<double>(sorted.size()));
  return sorted[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace

Samples::Samples(size_t capacity) : capacity_(capacity) { ring_.reserve(capacity); }

void Samples::add(double value) {
  if (ring_.size() < capacity_) {
    ring_.push_back(value);
  } else {
    ring_[count_ % capacity_] = value;
  }
  ++count_;
  sum_ += value;
  last_ = value;
}

Percentiles Samples::percentiles() const {
  if (ring_.empty()) return {};
  std::vector<double> sorted = ring_;
  std::sort(sorted.begin(), sorted.end());
  return {nearest_rank(sorted, 0.50), nearest_rank(sorted, 0.95), nearest_rank(sorted, 0.99)};
}

RateMeter::RateMeter(size_t window) : times_(window) {}

void RateMeter::add(double now) { times_[count_++ % times_.size()] = now; }

double RateMeter::per_second() const {
  if (count_ < 2) return 0;
  const size_t kept = std::min<uint64_t>(count_, times_.size());
  const double newest = times_[(count_ - 1) % times_.size()];
  const double oldest = times_[(count_ - kept) % times_.size()];
  return newest > oldest ? static_cast<double>(kept - 1) / (newest - oldest) : 0;
}

}  // namespace latentdesk
