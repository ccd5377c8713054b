#include "server/gpu_budget.h"

#include <gtest/gtest.h>

namespace latentdesk {
namespace {

SteadyTime at(double ms) {
  return SteadyTime(
      std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double, std::milli>(ms)));
}

/// Frames a second of a stream that always has a next frame, each of which takes `device_ms`.
double frames_per_second(double percent, double device_ms) {
  GpuBudget budget(percent);
  double now = 1e6;
  const double begin = now;
  int frames = 0;
  while (now < begin + 10'000) {
    now = std::max(now, milliseconds(budget.earliest().time_since_epoch())) + device_ms;
    budget.spend(device_ms, at(now));
    ++frames;
  }
  return frames / 10.0;
}

TEST(GpuBudget, LowersTheFrameRateToTheShare) {
  EXPECT_NEAR(frames_per_second(5, 1), 50, 0.5);
  EXPECT_NEAR(frames_per_second(5, 10), 5, 0.2);
  EXPECT_NEAR(frames_per_second(50, 4), 125, 1);
}

TEST(GpuBudget, AllOfItAndNoGpuDelayNothing) {
  GpuBudget whole(100);
  whole.spend(7, at(107));
  EXPECT_EQ(whole.earliest(), at(107));
  GpuBudget cpu(1);
  cpu.spend(0, at(50));
  EXPECT_LE(cpu.earliest(), at(50));
}

TEST(GpuBudget, RestIsNotSavedUp) {
  GpuBudget budget(10);
  budget.spend(1, at(1));
  EXPECT_EQ(budget.earliest(), at(10));
  budget.spend(1, at(1'000'001));  // after a long rest
  EXPECT_EQ(budget.earliest(), at(1'000'010));
}

TEST(GpuBudget, FramesThatComeTooEarlyAreNotForgiven) {
  GpuBudget budget(10);
  for (int i = 1; i <= 5; ++i) budget.spend(1, at(i));
  EXPECT_EQ(budget.earliest(), at(50));
}

TEST(GpuBudget, UsedShareIsSinceItWasLastAsked) {
  GpuBudget budget(100);
  const SteadyTime begin = SteadyClock::now();
  budget.used_percent(begin);
  budget.spend(30, begin + std::chrono::milliseconds(500));
  budget.spend(20, begin + std::chrono::milliseconds(900));
  EXPECT_NEAR(budget.used_percent(begin + std::chrono::seconds(1)), 5, 1e-6);
  EXPECT_NEAR(budget.used_percent(begin + std::chrono::seconds(2)), 0, 1e-6);
}

}  // namespace
}  // namespace latentdesk
