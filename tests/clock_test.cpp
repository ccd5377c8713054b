#include "common/clock.h"

#include <gtest/gtest.h>

namespace latentdesk {
namespace {

TEST(ClockOffset, IsUnknownBeforeAnExchange) { EXPECT_FALSE(ClockOffset().offset()); }

TEST(ClockOffset, SymmetricWayGivesTheExactOffset) {
  ClockOffset clock;
  clock.add(10.0, 1010.1, 1010.3, 10.4);  // peer 1000 s ahead, 0.1 s each way, 0.2 s at the peer
  EXPECT_NEAR(*clock.offset(), 1000, 1e-9);
  EXPECT_NEAR(clock.round_trip(), 0.2, 1e-9);
}

TEST(ClockOffset, KeepsTheShortestRoundTrip) {
  ClockOffset clock;
  clock.add(0, 1000.01, 1000.01, 0.02);
  clock.add(1, 1001.90, 1001.90, 2.00);  // held up on the way there
  EXPECT_NEAR(*clock.offset(), 1000, 1e-9);
}

TEST(ClockOffset, FollowsADriftInTheEnd) {
  ClockOffset clock;
  clock.add(0, 1000.01, 1000.01, 0.02);
  for (int i = 1; i < 300; ++i) clock.add(i, i + 1001.02, i + 1001.02, i + 0.04);
  EXPECT_NEAR(*clock.offset(), 1001, 1e-9);
}

TEST(ClockOffset, IgnoresAnExchangeDuringWhichAClockWasSet) {
  ClockOffset clock;
  clock.add(0, 1000, 1060, 0.02);
  EXPECT_FALSE(clock.offset());
}

}  // namespace
}  // namespace latentdesk
