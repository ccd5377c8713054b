#include "common/stats.h"

#include <gtest/gtest.h>

namespace latentdesk {
namespace {

TEST(Samples, PercentilesAreNearestRank) {
  Samples samples;
  for (int i = 100; i >= 1; --i) samples.add(i);
  const Percentiles percentiles = samples.percentiles();
  EXPECT_EQ(percentiles.p50, 50);
  EXPECT_EQ(percentiles.p95, 95);
  EXPECT_EQ(percentiles.p99, 99);
  EXPECT_EQ(samples.mean(), 50.5);
  EXPECT_EQ(samples.last(), 1);
}

TEST(Samples, NoneGiveZero) {
  EXPECT_EQ(Samples().percentiles().p99, 0);
  EXPECT_EQ(Samples().mean(), 0);
}

TEST(Samples, OldOnesLeaveThePercentilesButNotTheMean) {
  Samples samples(4);
  for (const double value : {100, 100, 1, 2, 3, 4}) samples.add(value);
  EXPECT_EQ(samples.percentiles().p99, 4);
  EXPECT_EQ(samples.mean(), 35);
  EXPECT_EQ(samples.count(), 6u);
}

TEST(RateMeter, CountsOverItsWindow) {
  RateMeter meter(11);
  EXPECT_EQ(meter.per_second(), 0);
  for (int i = 0; i < 100; ++i) meter.add(i < 50 ? i : 50 + (i - 50) * 0.1);
  EXPECT_NEAR(meter.per_second(), 10, 1e-9);
}

}  // namespace
}  // namespace latentdesk
