#include "common/codec/cuda/tile_batches.h"

#include <gtest/gtest.h>

#include <vector>

namespace latentdesk::cuda {
namespace {

std::vector<size_t> batches(size_t tiles, size_t all) {
  std::vector<size_t> result;
  for (size_t done = 0; done < tiles; done += result.back())
    result.push_back(next_tile_batch(tiles - done, all));
  return result;
}

using Batches = std::vector<size_t>;

TEST(TileBatches, AreAtLeastHalfFull) {
  EXPECT_EQ(batches(1, 0), (Batches{1}));
  EXPECT_EQ(batches(2, 0), (Batches{4}));
  EXPECT_EQ(batches(5, 0), (Batches{4, 1}));
  EXPECT_EQ(batches(8, 0), (Batches{16}));
  EXPECT_EQ(batches(65, 0), (Batches{64, 1}));
  EXPECT_EQ(batches(600, 0), (Batches{256, 256, 64, 16, 16}));
}

TEST(TileBatches, AllTilesOfAScreenGoTogether) {
  EXPECT_EQ(batches(510, 510), (Batches{510}));
  EXPECT_EQ(batches(300, 510), (Batches{510}));
  EXPECT_EQ(batches(230, 240), (Batches{240}));
  EXPECT_EQ(batches(250, 510), (Batches{256}));
}

TEST(TileBatches, HoldEveryNumber) {
  for (const size_t all : {0u, 12u, 240u, 2040u}) {
    for (size_t tiles = 1; tiles <= 2100; ++tiles) {
      size_t room = 0;
      for (const size_t batch : batches(tiles, all)) room += batch;
      EXPECT_GE(room, tiles);
      EXPECT_LE(room, 2 * tiles);
    }
  }
}

}  // namespace
}  // namespace latentdesk::cuda
