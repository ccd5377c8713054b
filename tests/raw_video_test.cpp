#include "common/raw_video.h"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>
#include <unistd.h>

namespace latentdesk {
namespace {

std::string write_file(const std::string& name, size_t bytes) {
  const std::string path = testing::TempDir() + std::to_string(getpid()) + "-" + name;
  std::ofstream file(path, std::ios::binary);
  for (size_t i = 0; i < bytes; ++i) file.put(static_cast<char>(i / 32));  // a frame of 4x2 has 32 bytes
  return path;
}

TEST(RawVideo, ReadsFramesInOrderAndAgain) {
  RawVideo video(write_file("three.bgr0", 96), {4, 2});
  Image image(video.size());
  EXPECT_EQ(video.frames(), 3u);
  for (int round = 0; round < 2; ++round) {
    for (int frame = 0; frame < 3; ++frame) {
      ASSERT_TRUE(video.read(image.view()));
      EXPECT_EQ(image.data()[31], frame);
    }
    EXPECT_FALSE(video.read(image.view()));
    video.rewind();
  }
}

TEST(RawVideo, RefusesWhatIsNotWholeFrames) {
  EXPECT_THROW(RawVideo(write_file("odd.bgr0", 97), {4, 2}), std::runtime_error);
  EXPECT_THROW(RawVideo(write_file("empty.bgr0", 0), {4, 2}), std::runtime_error);
  EXPECT_THROW(RawVideo("/nowhere/missing.bgr0", {4, 2}), std::runtime_error);
}

TEST(ParseSize, TakesWidthAndHeight) { EXPECT_EQ(parse_size("1280x720"), (Size{1280, 720})); }

TEST(ParseSize, RefusesTheRest) {
  for (const char* text : {"", "1280", "1280x", "x720", "0x720", "-1x720", "1280x720x", "1280X720", "16385x1",
                           "16384x16384", "99999999999x1"}) {
    EXPECT_THROW(parse_size(text), std::invalid_argument) << text;
  }
}

TEST(RawPath, IsWhatFollowsThePrefix) {
  EXPECT_EQ(raw_path("raw:a/b.bgr0"), "a/b.bgr0");
  EXPECT_EQ(raw_path("x11"), "");
}

}  // namespace
}  // namespace latentdesk
