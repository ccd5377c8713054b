#include "common/stream/packing_pace.h"

#include "common/stream/update.h"

#include <gtest/gtest.h>

#include <random>

namespace latentdesk {
namespace {

using std::chrono::milliseconds;

/// A clock that is moved by hand, and by itself at each look.
struct HandClock {
  SteadyTime now{std::chrono::hours(1)};
  SteadyClock::duration step{};

  FrameTime frame(double ms) {
    return FrameTime(ms, [this] { return std::exchange(now, now + step); });
  }
};

TEST(FrameTime, PassesByItsClock) {
  HandClock clock;
  FrameTime frame = clock.frame(16);
  frame.begin();
  EXPECT_DOUBLE_EQ(frame.left_ms(), 16);
  clock.now += milliseconds(10);
  frame.go_on();  // there is time left: no new frame
  EXPECT_DOUBLE_EQ(frame.left_ms(), 6);
  clock.now += milliseconds(30);
  EXPECT_DOUBLE_EQ(frame.left_ms(), -24);
  frame.go_on();
  EXPECT_DOUBLE_EQ(frame.left_ms(), 16);
}

TEST(FrameTime, DoesNotPassWithoutAClock) {
  FrameTime frame(16);
  frame.begin();
  frame.go_on();
  EXPECT_FALSE(frame.passes());
  EXPECT_DOUBLE_EQ(frame.left_ms(), 16);
}

TEST(PackingPace, EffortFollowsTheTimeLeft) {
  const PackingPace pace;
  EXPECT_EQ(pace.choose(100'000, 1e9), Compression::thorough);
  EXPECT_EQ(pace.choose(100'000, 5), Compression::full);
  EXPECT_EQ(pace.choose(100'000, 1), Compression::quick);
  EXPECT_EQ(pace.choose(100'000, 0.5), Compression::runs);
  EXPECT_EQ(pace.choose(100'000, -20), Compression::runs);
  EXPECT_EQ(pace.choose(1'000, 5), Compression::thorough);
}

TEST(PackingPace, LearnsHowSlowTheMachineIs) {
  PackingPace pace;
  ASSERT_EQ(pace.choose(100'000, 5), Compression::full);
  pace.took(Compression::full, 1'000, 50);  // a hiccup in a short one
  EXPECT_EQ(pace.choose(100'000, 5), Compression::full);
  for (int i = 0; i < 10; ++i) pace.took(Compression::full, 100'000, 9);
  EXPECT_EQ(pace.choose(100'000, 5), Compression::quick);
  for (int i = 0; i < 20; ++i) pace.took(Compression::quick, 100'000, 0.8);
  EXPECT_EQ(pace.choose(100'000, 5), Compression::full);
}

/// Indices as of text: 200 letters of 8x12 pixels in lines.
UpdateParts text_parts() {
  std::mt19937 random(4);
  std::vector<std::array<uint8_t, 96>> letters(200);
  for (auto& letter : letters) {
    for (uint8_t& pixel : letter) pixel = random() % 3 == 0 ? static_cast<uint8_t>(random() % 16) : 0;
  }
  UpdateParts parts;
  for (int line = 0; line < 30; ++line) {
    std::vector<size_t> text(80);
    for (size_t& letter : text) letter = random() % letters.size();
    for (size_t y = 0; y < 12; ++y) {
      for (const size_t letter : text)
        parts.indices.insert(parts.indices.end(), &letters[letter][y * 8], &letters[letter][y * 8] + 8);
    }
  }
  return parts;
}

size_t packed_bytes(const UpdateParts& parts, const FrameTime& frame) {
  UpdatePacker packer;
  UpdateHeader header;
  std::vector<uint8_t> payload;
  packer.pack(parts, header, payload, frame);
  UpdateUnpacker unpacker;
  unpacker.unpack(header, payload);
  const ByteView indices = unpacker.part(Part::indices);
  EXPECT_TRUE(std::equal(indices.begin(), indices.end(), parts.indices.begin(), parts.indices.end()));
  return payload.size();
}

TEST(UpdatePacker, LessTimeMeansMoreBytes) {
  const UpdateParts parts = text_parts();
  HandClock clock;
  FrameTime frame = clock.frame(20);
  const auto bytes_after = [&](milliseconds passed) {
    frame.begin();
    clock.now += passed;
    return packed_bytes(parts, frame);
  };
  const size_t at_once = bytes_after(milliseconds(0)), late = bytes_after(milliseconds(17));
  EXPECT_LT(packed_bytes(parts, FrameTime()), at_once);
  EXPECT_LT(at_once, late);
  EXPECT_EQ(bytes_after(milliseconds(50)), late);  // an eighth of a frame is always there
  frame = clock.frame(4);
  EXPECT_LT(late, bytes_after(milliseconds(3)));
}

TEST(UpdatePacker, AFrameWhoseTimeDoesNotPassIsPackedAlike) {
  const UpdateParts parts = text_parts();
  UpdatePacker packer;
  UpdateHeader header;
  std::vector<uint8_t> first, later;
  packer.pack(parts, header, first, FrameTime(2));
  for (int i = 0; i < 5; ++i) {
    later.clear();
    packer.pack(parts, header, later, FrameTime(2));
    EXPECT_EQ(later, first);
  }
}

TEST(UpdatePacker, ASlowMachineSearchesLess) {
  const UpdateParts parts = text_parts();
  HandClock clock{.step = milliseconds(8)};  // whatever it does takes 8 ms
  FrameTime frame = clock.frame(20);
  UpdatePacker packer;
  UpdateHeader header;
  std::vector<size_t> bytes;
  for (int i = 0; i < 12; ++i) {
    std::vector<uint8_t> payload;
    frame.begin();
    packer.pack(parts, header, payload, frame);
    bytes.push_back(payload.size());
  }
  EXPECT_LT(bytes.front(), bytes.back());
}

}  // namespace
}  // namespace latentdesk
