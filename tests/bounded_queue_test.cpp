#include "common/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace latentdesk {
namespace {

TEST(BoundedQueue, KeepsOrderAndLosesNothing) {
  constexpr int kCount = 20'000;
  BoundedQueue<std::unique_ptr<int>> queue(3);
  std::thread producer([&] {
    for (int i = 0; i < kCount; ++i) ASSERT_TRUE(queue.push(std::make_unique<int>(i)));
    queue.close();
  });
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(**queue.pop(), i);
  EXPECT_EQ(queue.pop(), std::nullopt);
  producer.join();
}

TEST(BoundedQueue, FullOneMakesTheProducerWait) {
  BoundedQueue<int> queue(2);
  std::atomic<int> pushed{0};
  std::thread producer([&] {
    for (int i = 0; i < 3; ++i, ++pushed) queue.push(i);
  });
  while (pushed < 2) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(pushed, 2);
  EXPECT_EQ(queue.pop(), 0);
  producer.join();
  EXPECT_EQ(pushed, 3);
}

TEST(BoundedQueue, TryPopTakesOnlyWhatIsThere) {
  BoundedQueue<int> queue(2);
  EXPECT_EQ(queue.try_pop(), std::nullopt);
  queue.push(1);
  queue.push(2);
  EXPECT_EQ(queue.try_pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
}

TEST(BoundedQueue, CloseWakesBothSidesAndLetsTheRestOut) {
  BoundedQueue<int> queue(1);
  queue.push(7);
  std::thread producer([&] { EXPECT_FALSE(queue.push(8)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  queue.close();
  producer.join();
  EXPECT_EQ(queue.pop(), 7);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

}  // namespace
}  // namespace latentdesk
