#include "common/stream/latent_coding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace latentdesk {
namespace {

using Bytes = std::vector<uint8_t>;
using Values = std::vector<int8_t>;

size_t latents_of(int tiles, int channels) {
  return static_cast<size_t>(tiles) * 64 * static_cast<size_t>(channels);
}

/// As networks give them: channels by falling activity, the first ones smooth.
Values like_latents(int tiles, int channels, unsigned seed) {
  std::mt19937 random(seed);
  std::exponential_distribution<double> magnitude(1);
  Values values;
  for (int c = 0; c < channels; ++c) {
    const double activity = 9 * std::exp(-c / 20.0);
    double base = 40;
    for (int i = 0; i < tiles * 64; ++i) {
      base += magnitude(random) - 1;
      const double noise = magnitude(random) * activity * (random() % 2 ? 1 : -1);
      values.push_back(static_cast<int8_t>(std::clamp(std::round(c < 3 ? base : noise), -127.0, 127.0)));
    }
  }
  return values;
}

Bytes encoded(const Values& values, int channels) {
  Bytes bytes;
  LatentCoder().encode(values, channels, bytes);
  return bytes;
}

void expect_round_trip(const Values& values, int channels) {
  const Bytes bytes = encoded(values, channels);
  Values restored(values.size(), 55);
  LatentCoder coder;
  for (int i = 0; i < 2; ++i) {  // memory of the first time does no harm
    coder.decode(bytes, channels, restored);
    EXPECT_TRUE(restored == values) << channels << " channels, time " << i;
  }
}

TEST(LatentCoding, LosesNothing) {
  for (const int channels : {1, 2, 7, 9, 160, 256}) {
    for (const int tiles : {1, 2, 13}) expect_round_trip(like_latents(tiles, channels, 1), channels);
  }
  std::mt19937 random(7);
  Values noise(latents_of(3, 96));
  for (int8_t& value : noise) value = static_cast<int8_t>(random());
  expect_round_trip(noise, 96);
  for (const int value : {-128, -127, -16, -15, 0, 14, 15, 127}) {
    expect_round_trip(Values(latents_of(2, 160), static_cast<int8_t>(value)), 160);
  }
}

/// The positions of `shapes`, [tile][position], in another order and number.
Values shuffled(const Values& shapes, int channels, int tiles, unsigned seed) {
  std::mt19937 random(seed);
  const size_t from = shapes.size() / static_cast<size_t>(channels), to = static_cast<size_t>(tiles) * 64;
  Values values(to * static_cast<size_t>(channels));
  for (size_t i = 0; i < to; ++i) {
    const size_t shape = random() % from;
    for (size_t c = 0; c < static_cast<size_t>(channels); ++c) values[c * to + i] = shapes[c * from + shape];
  }
  return values;
}

TEST(LatentCoding, WhatComesAgainTakesFewBytes) {
  const Values shapes = like_latents(1, 96, 9), values = shuffled(shapes, 96, 10, 4);
  // 576 of 640 positions are known, each by one of 64 numbers.
  EXPECT_LT(encoded(values, 96).size(), encoded(shapes, 96).size() + 600 * 3 / 2);
  expect_round_trip(values, 96);
}

TEST(LatentCoding, WhatIsLikeSomethingTakesFewerBytes) {
  Values values = like_latents(1, 96, 9);
  const size_t alone = encoded(values, 96).size();
  Values twice;
  for (int c = 0; c < 96; ++c) {
    for (int i = 0; i < 128; ++i)
      twice.push_back(
          static_cast<int8_t>(values[static_cast<size_t>(c * 64 + i % 64)] + (i > 63 && c % 7 == 6)));
  }
  EXPECT_LT(encoded(twice, 96).size(), alone * 8 / 5);
  expect_round_trip(twice, 96);
}

TEST(LatentCoding, MoreThanIsRememberedIsRead) {
  for (const unsigned seed : {1u, 2u})
    expect_round_trip(shuffled(like_latents(60, 48, seed), 48, 90, seed), 48);
}

TEST(LatentCoding, NoTilesAreNoLatents) { expect_round_trip({}, 160); }

TEST(LatentCoding, AppendsToWhatIsThere) {
  const Values values = like_latents(1, 16, 3);
  Bytes bytes{1, 2, 3};
  LatentCoder().encode(values, 16, bytes);
  EXPECT_TRUE(Bytes(bytes.begin() + 3, bytes.end()) == encoded(values, 16));
}

TEST(LatentCoding, SmoothChannelsArePredicted) {
  Values ramp(latents_of(4, 4));
  for (size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<int8_t>(3 * (i % 8) + 5 * (i / 8 % 8));
  EXPECT_LT(encoded(ramp, 4).size(), 400u);  // of 1024 values, none of which is the same as its neighbour
}

TEST(LatentCoding, WhatIsCutOrFollowedByMoreIsRefused) {
  const Values values = like_latents(3, 24, 5);
  const Bytes bytes = encoded(values, 24);
  Values restored(values.size());
  LatentCoder coder;
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_THROW(coder.decode(ByteView(bytes).first(length), 24, restored), ProtocolError) << length;
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_THROW(coder.decode(longer, 24, restored), ProtocolError);
  EXPECT_THROW(coder.decode(bytes, 23, std::span(restored).first(latents_of(3, 23))), ProtocolError);
  EXPECT_NO_THROW(coder.decode(bytes, 24, restored));
}

TEST(LatentCoding, AnyBytesAreReadOrRefused) {
  std::mt19937 random(11);
  LatentCoder coder;
  Values restored(latents_of(2, 160));
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    Bytes bytes(random() % 400);
    for (uint8_t& byte : bytes) byte = i % 3 == 0 ? 0xff : static_cast<uint8_t>(random());
    try {
      coder.decode(bytes, 160, restored);
    } catch (const ProtocolError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1900);
}

}  // namespace
}  // namespace latentdesk
