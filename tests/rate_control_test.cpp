#include "common/stream/rate_control.h"

#include "common/protocol.h"

#include <gtest/gtest.h>

#include <deque>
#include <limits>

// RateControl against a simulated link: a queue that empties at a rate, and a delay each way.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

class Link {
 public:
  double bytes_per_second = 50e6 / 8;
  SteadyClock::duration delay = 10ms;

  void send(size_t bytes, SteadyTime now) {
    const auto transmission = std::chrono::duration<double>(static_cast<double>(bytes) / bytes_per_second);
    free_at_ = std::max(free_at_, now) + std::chrono::duration_cast<SteadyClock::duration>(transmission);
    arrivals_.push_back(free_at_ + 2 * delay);  // there, and its acknowledgement back
  }

  bool acknowledged(SteadyTime now) {
    if (arrivals_.empty() || arrivals_.front() > now) return false;
    arrivals_.pop_front();
    return true;
  }

  SteadyClock::duration queued(SteadyTime now) const {
    return std::max(free_at_ - now, SteadyClock::duration{});
  }

 private:
  SteadyTime free_at_{};
  std::deque<SteadyTime> arrivals_;
};

TEST(RateControl, ALargeFirstUpdateIsNoLongPath) {
  RateControl rate(80);
  EXPECT_EQ(rate.soon(), std::numeric_limits<size_t>::max());
  rate.answered(20, SteadyTime{1s});
  rate.sent(500'000, SteadyTime{1s});
  rate.acknowledged(1, SteadyTime{1s + 220ms});
  EXPECT_EQ(rate.rest(), 100ms);
  EXPECT_NEAR(static_cast<double>(rate.soon()), 500'000 / 0.22 * 0.2, 1000);
  RateControl far(80);
  far.answered(400, SteadyTime{1s});
  EXPECT_EQ(far.rest(), 600ms);
}

/// Updates at 30 a second whose size follows quality.
class Sender {
 public:
  explicit Sender(size_t bytes_at_full_quality) : bytes_(bytes_at_full_quality) {}

  /// The longest queue of the time.
  SteadyClock::duration run(Link& link, SteadyClock::duration time) {
    SteadyClock::duration longest{};
    for (const SteadyTime end = now_ + time; now_ < end; now_ += 1ms) {
      while (link.acknowledged(now_)) rate_.acknowledged(++acknowledged_, now_);
      if (now_ >= next_frame_ && rate_.may_send(now_)) {
        const size_t bytes = bytes_ * static_cast<size_t>(rate_.quality()) / 100;
        rate_.sent(bytes, now_);
        link.send(bytes, now_);
        next_frame_ = now_ + 33ms;
        last_sent_ = now_;
      }
      longest = std::max(longest, link.queued(now_));
    }
    return longest;
  }

  const RateControl& rate() const { return rate_; }
  SteadyClock::duration since_last() const { return now_ - last_sent_; }

 private:
  size_t bytes_;
  RateControl rate_{80};
  uint64_t acknowledged_ = 0;
  SteadyTime now_{1h};
  SteadyTime next_frame_{};
  SteadyTime last_sent_{};
};

TEST(RateControl, FastLinksHaveFullQuality) {
  Link link;
  Sender sender(20'000);
  sender.run(link, 3s);
  EXPECT_EQ(sender.rate().quality(), 80);
}

TEST(RateControl, SqueezedLinkStaysCurrentAndRecovers) {
  Link link;
  Sender sender(20'000);
  sender.run(link, 3s);
  link.bytes_per_second = 300e3 / 8;
  sender.run(link, 2s);  // to find out
  EXPECT_LT(sender.run(link, 6s), 1s);
  EXPECT_LT(sender.since_last(), 1s);
  EXPECT_LT(sender.rate().quality(), 50);
  link.bytes_per_second = 50e6 / 8;
  sender.run(link, 3s);
  EXPECT_GE(sender.rate().quality(), 75);
}

TEST(RateControl, WindowFollowsTheShortestRoundTrip) {
  Link link;
  link.bytes_per_second = 1e6;
  link.delay = 25ms;
  Sender sender(100'000);
  sender.run(link, 5s);
  // Of 80 ms at a megabyte a second, not of what the queue makes of it.
  EXPECT_LT(sender.run(link, 5s), 250ms);
}

TEST(RateControl, OnlyALittleFollowsWhatIsLate) {
  for (const size_t bytes : {1'000, 20'000}) {
    RateControl rate(50);
    const SteadyTime start{1h};
    rate.sent(20'000, start);
    rate.acknowledged(1, start + 50ms);
    rate.sent(bytes, start + 60ms);
    EXPECT_TRUE(rate.may_send(start + 100ms)) << bytes;
    EXPECT_EQ(rate.may_send(start + 200ms), bytes < 8'000) << bytes;
    rate.acknowledged(2, start + 300ms);
    EXPECT_TRUE(rate.may_send(start + 300ms)) << bytes;
  }
}

TEST(RateControl, WhatIsAcknowledgedSoonIsWaitedFor) {
  RateControl rate(50);
  const SteadyTime start{1h};
  rate.sent(20'000, start);
  rate.acknowledged(1, start + 5ms);
  rate.sent(20'000, start + 10ms);
  EXPECT_FALSE(rate.may_send(start + 10ms));
  rate.acknowledged(2, start + 15ms);
  EXPECT_TRUE(rate.may_send(start + 15ms));
}

TEST(RateControl, ALinkThatStaysSlowDoesNotPassForALongOne) {
  Link link;
  Sender sender(20'000);
  sender.run(link, 3s);
  link.bytes_per_second = 300e3 / 8;
  sender.run(link, 20s);
  EXPECT_LT(sender.run(link, 5s), 400ms);
  EXPECT_LT(sender.rate().quality(), 40);
}

TEST(RateControl, ManyUpdatesCanBeAcknowledgedAtOnce) {
  RateControl rate(50);
  const SteadyTime start{1h};
  for (int i = 0; i < 5; ++i) rate.sent(1000, start);
  rate.acknowledged(5, start + 10ms);
  EXPECT_EQ(rate.acknowledged(), rate.sent());
}

TEST(RateControl, AcknowledgingWhatWasNotSentIsAnError) {
  RateControl rate(50);
  rate.sent(1000, {});
  EXPECT_THROW(rate.acknowledged(2, {}), ProtocolError);
  rate.acknowledged(1, {});
  EXPECT_THROW(rate.acknowledged(0, {}), ProtocolError);
  EXPECT_THROW(rate.acknowledged(~uint64_t{0}, {}), ProtocolError);
}

}  // namespace
}  // namespace latentdesk
