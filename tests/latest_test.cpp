#include "common/latest.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace latentdesk {
namespace {

TEST(Latest, ReplacesWhatWasNotTaken) {
  Latest<int> latest;
  latest.put(1);
  latest.put(2);
  EXPECT_EQ(latest.take(), 2);
  EXPECT_EQ(latest.try_take(), std::nullopt);
  EXPECT_EQ(latest.dropped(), 1u);
}

TEST(Latest, CloseWakesTheTaker) {
  Latest<int> latest;
  std::thread taker([&] { EXPECT_EQ(latest.take(), std::nullopt); });
  latest.close();
  taker.join();
  latest.put(1);
  EXPECT_EQ(latest.take(), std::nullopt);
}

TEST(Latest, TakerSeesIncreasingValuesAndTheLast) {
  constexpr int kLast = 20'000;
  Latest<std::unique_ptr<int>> latest;
  std::thread producer([&] {
    for (int i = 1; i <= kLast; ++i) latest.put(std::make_unique<int>(i));
  });
  int previous = 0;
  while (previous < kLast) {
    const auto value = latest.take();
    ASSERT_TRUE(value);
    ASSERT_GT(**value, previous);
    previous = **value;
  }
  producer.join();
}

}  // namespace
}  // namespace latentdesk
