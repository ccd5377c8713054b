#include "client/backoff.h"
#include "client/pool.h"
#include "client/reporter.h"
#include "client/viewer_stats.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace latentdesk {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr SteadyTime kStart{1000s};

/// Frame `number`, one each 100 ms, that took 2 ms to unpack and 10 ms to decode.
FrameInfo decoded_frame(uint64_t number) {
  FrameInfo frame;
  frame.number = number;
  frame.size = {64, 48};
  frame.bytes = 1000 * number;
  frame.timestamp = 5000.0;
  frame.received = kStart + number * 100ms;
  frame.ready = frame.received + 12ms;
  frame.unpack_ms = 2;
  frame.decode_ms = 10;
  return frame;
}

TEST(ViewerStats, SummarisesARun) {
  ViewerStats stats;
  for (uint64_t number = 1; number <= 5; ++number) {
    const FrameInfo frame = decoded_frame(number);
    stats.add_ready(frame);
    stats.add_presented(frame, frame.ready + 3ms, frame.timestamp + 0.040);
  }
  const RunSummary run = stats.summary();
  EXPECT_EQ(run.frames, 5u);
  EXPECT_EQ(run.bytes, 15'000u);
  EXPECT_EQ(run.size, (Size{64, 48}));
  EXPECT_DOUBLE_EQ(run.bytes_per_frame, 3000);
  EXPECT_NEAR(run.seconds, 0.4, 1e-9);
  EXPECT_NEAR(run.fps, 10, 1e-6);
  EXPECT_NEAR(run.interval.percentiles.p50, 100, 1e-6);
  EXPECT_NEAR(run.unpack.mean, 2, 1e-9);
  EXPECT_NEAR(run.decode.percentiles.p99, 10, 1e-9);
  EXPECT_NEAR(run.present.percentiles.p95, 3, 1e-6);
  EXPECT_NEAR(run.latency.percentiles.p95, 40, 1e-6);
}

TEST(ViewerStats, ShowsTheNewestPresentedFrame) {
  ViewerStats stats;
  for (const uint64_t number : {1, 2, 3}) stats.add_ready(decoded_frame(number));
  stats.add_presented(decoded_frame(2), kStart + 1s, 5000.25);
  const CurrentStats now = stats.current();
  EXPECT_EQ(now.frame.number, 2u);
  EXPECT_NEAR(now.fps, 10, 1e-6);
  EXPECT_NEAR(now.latency_ms, 250, 1e-6);
  EXPECT_NEAR(now.bits_per_second, 10 * 8 * 2000, 1e-3);
}

TEST(ViewerStats, IsZeroWithoutFrames) {
  const RunSummary run = ViewerStats().summary();
  EXPECT_EQ(run.frames, 0u);
  EXPECT_EQ(run.fps, 0);
  EXPECT_EQ(run.bytes_per_frame, 0);
}

TEST(ViewerStats, HasNoRateForOneFrame) {
  ViewerStats stats;
  stats.add_ready(decoded_frame(1));
  EXPECT_EQ(stats.summary().fps, 0);
}

TEST(ViewerStats, CountsFramesThatAreNotDecodedInNoStage) {
  ViewerStats stats;
  FrameInfo frame = decoded_frame(1);
  frame.unpack_ms = frame.decode_ms = 0;
  stats.add_ready(frame);
  stats.add_ready(decoded_frame(2));
  EXPECT_NEAR(stats.summary().decode.mean, 10, 1e-9);
}

TEST(StatsJson, HasEveryField) {
  RunSummary run;
  run.frames = 3;
  run.size = {640, 480};
  run.decode = {1.5, {1, 2, 3}};
  const json object = json::parse(to_json(run, "cpu", "lite-1.abc"));
  for (const char* name : {"seconds", "fps", "bytes", "bytes_per_frame", "dropped", "connects"}) {
    EXPECT_TRUE(object.at(name).is_number()) << name;
  }
  for (const char* name : {"interval", "unpack", "decode", "present", "latency"}) {
    EXPECT_TRUE(object.at("stages").contains(name)) << name;
  }
  EXPECT_EQ(object.at("frames"), 3);
  EXPECT_EQ(object.at("stages").at("decode"),
            (json{{"mean_ms", 1.5}, {"p50_ms", 1}, {"p95_ms", 2}, {"p99_ms", 3}}));
  EXPECT_EQ(object.at("size"), (json{640, 480}));
  EXPECT_EQ(object.at("device"), "cpu");
  EXPECT_EQ(object.at("model"), "lite-1.abc");
  EXPECT_EQ(object.at("clock"), "assumed equal");
}

TEST(Backoff, DoublesWithJitterUpToFiveSecondsAndStartsAgain) {
  Backoff backoff;
  const SteadyTime now{1h};
  for (const auto expected : {250ms, 500ms, 1000ms, 2000ms, 4000ms, 5000ms, 5000ms}) {
    const auto delay = backoff.next(false, now, now);
    EXPECT_GE(delay, expected * 4 / 5 - 1ms);
    EXPECT_LE(delay, expected * 6 / 5);
  }
  backoff.reset(now);
  EXPECT_LE(backoff.next(/*refused=*/true, now, now), 300ms);
}

TEST(Backoff, TriesALostConnectionTenTimesASecondForHalfAMinute) {
  Backoff backoff;
  const SteadyTime lost{1h};
  backoff.reset(lost);
  EXPECT_EQ(backoff.next(false, lost - 10s, lost), 0ms) << "the first time at once";
  EXPECT_EQ(backoff.next(false, lost, lost), 100ms) << "when the attempt fails at once";
  EXPECT_EQ(backoff.next(false, lost, lost + 200ms), 0ms) << "when it has taken its time";
  EXPECT_GE(backoff.next(false, lost + 31s, lost + 31s), 200ms);
  EXPECT_GE(backoff.next(false, lost + 32s, lost + 32s), 400ms);
}

TEST(Pool, HandsOutWhatCameBack) {
  Pool<std::vector<int>> pool;
  auto first = pool.take();
  first->resize(100);
  const int* memory = first->data();
  auto second = pool.take();
  EXPECT_NE(first.get(), second.get());
  first.reset();
  EXPECT_EQ(pool.take()->data(), memory);
}

}  // namespace
}  // namespace latentdesk
