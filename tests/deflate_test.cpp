#include "common/deflate.h"

#include "common/codec/latents.h"
#include "common/protocol.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace latentdesk {
namespace {

std::vector<int8_t> sample(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int8_t> values(size);
  for (int8_t& value : values) value = random() % 4 ? int8_t{0} : static_cast<int8_t>(random());
  return values;
}

TEST(Deflate, ReturnsWhatWentIn) {
  Deflater deflater;
  Inflater inflater;
  std::vector<uint8_t> packed;
  for (const size_t size : {1u, 2u, 96u, 100'000u, 7u}) {
    const auto values = sample(size, 1);
    deflater.deflate(values, packed);
    std::vector<int8_t> unpacked(size);
    inflater.inflate(packed, unpacked);
    EXPECT_EQ(unpacked, values);
  }
}

TEST(Deflate, OneByteIsTheGoldenStream) {
  Deflater deflater;
  std::vector<uint8_t> packed;
  deflater.deflate(std::vector<int8_t>{1}, packed);
  EXPECT_EQ(packed, (std::vector<uint8_t>{0x78, 0x01, 0x63, 0x04, 0x00, 0x00, 0x02, 0x00, 0x02}));
}

class BadStream : public testing::Test {
 protected:
  BadStream() { Deflater().deflate(sample(1000, 2), packed); }

  void expect_refused(size_t inflated_size) {
    std::vector<int8_t> out(inflated_size);
    EXPECT_THROW(Inflater().inflate(packed, out), ProtocolError);
  }

  std::vector<uint8_t> packed;
};

TEST_F(BadStream, LongerThanAnnounced) { expect_refused(999); }
TEST_F(BadStream, ShorterThanAnnounced) { expect_refused(1001); }

TEST_F(BadStream, TruncatedAnywhere) {
  const auto whole = packed;
  for (size_t length = 0; length < whole.size(); ++length) {
    packed.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    expect_refused(1000);
  }
}

TEST_F(BadStream, FollowedByMore) {
  packed.push_back(0);
  expect_refused(1000);
}

TEST_F(BadStream, DamagedChecksum) {
  packed.back() ^= 1;
  expect_refused(1000);
}

TEST(Unpack, BombIsRefusedWithoutTakingItsMemory) {
  // 8K of 256 channels announced, four bytes given.
  const FrameHeader header{{960, 540, 256}, 1, {7680, 4320}, 0, "m"};
  Inflater inflater;
  Latents latents;
  EXPECT_THROW(unpack(header, std::vector<uint8_t>{0x78, 0x01, 0x03, 0x00}, inflater, latents),
               ProtocolError);
  EXPECT_EQ(latents.values.capacity(), 0u);
}

TEST(Unpack, RealBombStopsAtTheAnnouncedSize) {
  std::vector<uint8_t> bomb;
  Deflater().deflate(std::vector<int8_t>(10'000'000), bomb);
  const FrameHeader header{{8, 8, 96}, 1, {64, 64}, 0, "m"};
  Inflater inflater;
  Latents latents;
  EXPECT_THROW(unpack(header, bomb, inflater, latents), ProtocolError);
  EXPECT_EQ(latents.values.size(), size_t{8 * 8 * 96});
}

}  // namespace
}  // namespace latentdesk
