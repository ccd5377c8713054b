#include "common/stream/packing_pace.h"

#include <algorithm>
#include <array>

namespace latentdesk {

namespace {

struct Effort {
  Compression compression;
  double ns_per_byte;
};

// Of packed indices of recorded desktops, by parts of 20 to 150 KB, which take longest a byte.
constexpr std::array kEfforts{Effort{Compression::thorough, 180}, Effort{Compression::full, 22},
                              Effort{Compression::quick, 8}, Effort{Compression::runs, 3.5}};

// Shorter ones take a time that says little.
constexpr size_t kTellingBytes = 16 * 1024;
constexpr double kGain = 0.25;
constexpr double kLeastSlowness = 0.2, kMostSlowness = 20;

double nominal_ms(const Effort& effort, size_t bytes) {
  return effort.ns_per_byte * static_cast<double>(bytes) * 1e-6;
}

}  // namespace

Compression PackingPace::choose(size_t bytes, double ms) const {
  const auto in_time = [&](const Effort& effort) { return nominal_ms(effort, bytes) * slowness_ <= ms; };
  const auto found = std::find_if(kEfforts.begin(), kEfforts.end(), in_time);
  return found == kEfforts.end() ? Compression::runs : found->compression;
}

void PackingPace::took(Compression compression, size_t bytes, double ms) {
  if (bytes < kTellingBytes) return;
  const auto effort = std::find_if(kEfforts.begin(), kEfforts.end(), [compression](const Effort& candidate) {
    return candidate.compression == compression;
  });
  const double slowness = std::clamp(ms / nominal_ms(*effort, bytes), kLeastSlowness, kMostSlowness);
  slowness_ += kGain * (slowness - slowness_);
}

}  // namespace latentdesk
