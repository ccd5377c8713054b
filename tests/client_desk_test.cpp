#include "client/cursor.h"
#include "client/desk_news.h"
#include "client/size_wish.h"
#include "client/view_fit.h"

#include <gtest/gtest.h>

namespace latentdesk {
namespace {

using namespace std::chrono_literals;
using Point = ViewFit::Point;

TEST(ViewFit, PixelForPixelWithABorder) {
  const ViewFit fit({1280, 720}, {1300, 760}, {1300, 760});
  EXPECT_EQ(fit.target(), (ViewFit::Rectangle{10, 20, 1280, 720}));
  EXPECT_EQ(fit.to_picture({10, 20}), (Point{0, 0}));
  EXPECT_EQ(fit.to_picture({1289, 739}), (Point{1279, 719}));
  EXPECT_TRUE(fit.contains({1289, 739}));
  EXPECT_FALSE(fit.contains({1290, 739}));
  EXPECT_FALSE(fit.contains({9, 20}));
}

TEST(ViewFit, ADragOutsideIsAtTheEdge) {
  const ViewFit fit({1280, 720}, {1300, 760}, {1300, 760});
  EXPECT_EQ(fit.to_picture({-500, 5}), (Point{0, 0}));
  EXPECT_EQ(fit.to_picture({5000, 400}), (Point{1279, 380}));
}

TEST(ViewFit, EachPixelOfAScaledPictureCanBePointedAt) {
  for (const Size output : {Size{640, 360}, Size{1000, 563}, Size{2560, 1440}, Size{3000, 2000}}) {
    const ViewFit fit({1280, 720}, output, output);
    for (int x = 0; x < output.width; ++x) {
      const Point pixel = fit.to_picture({x, output.height / 2});
      const int back = fit.to_output(pixel).x;
      if (!fit.contains({x, output.height / 2})) continue;
      EXPECT_NEAR(back, x, fit.factor() + 1) << output.width << ": " << x;
    }
    EXPECT_EQ(fit.to_picture({0, 0}).x, 0);
    EXPECT_EQ(fit.to_picture({output.width - 1, output.height - 1}), (Point{1279, 719}));
  }
}

TEST(ViewFit, HighDensityCountsPointsOfTheWindowAndPixelsOfTheOutput) {
  const ViewFit fit({2560, 1440}, {2560, 1440}, {1280, 720});
  EXPECT_EQ(fit.factor(), 1);
  EXPECT_EQ(fit.points_per_picture_pixel(), 0.5);
  EXPECT_EQ(fit.to_picture({0, 0}), (Point{0, 0}));
  EXPECT_EQ(fit.to_picture({640, 360}), (Point{1281, 721}));
  EXPECT_EQ(fit.to_picture({1279, 719}), (Point{2559, 1439}));
}

TEST(ViewFit, NothingIsPointedAtWithoutAPicture) {
  EXPECT_EQ(ViewFit().to_picture({5, 5}), (Point{0, 0}));
  EXPECT_FALSE(ViewFit().contains({0, 0}));
}

CursorShape checkered(int side) {
  CursorShape shape{{side, side}, side - 1, 0, {}};
  for (int i = 0; i < side * side; ++i) {
    const bool is_opaque = (i % side + i / side) % 2 == 0;
    for (const int value : {10, 20, 200, 255})
      shape.pixels.push_back(static_cast<uint8_t>(is_opaque ? value : 0));
  }
  return shape;
}

TEST(Cursor, ScalingKeepsColourAndHotSpot) {
  const CursorShape shape = checkered(32);
  EXPECT_EQ(scaled_cursor(shape, 1), shape);
  const CursorShape half = scaled_cursor(shape, 0.5);
  EXPECT_EQ(half.size, (Size{16, 16}));
  EXPECT_EQ(half.hot_x, 15);
  EXPECT_EQ((std::vector<uint8_t>(half.pixels.begin(), half.pixels.begin() + 4)),
            (std::vector<uint8_t>{10, 20, 200, 127}));
  EXPECT_EQ(scaled_cursor(shape, 2).size, (Size{64, 64}));
  EXPECT_EQ(scaled_cursor(shape, 1e-6).size, (Size{1, 1}));
  EXPECT_EQ(scaled_cursor(shape, 1e6).size, (Size{kMaxCursorSide, kMaxCursorSide}));
}

TEST(SizeWisher, AsksOnceTheWindowRests) {
  SizeWisher wisher;
  const SteadyTime start = SteadyClock::now();
  EXPECT_EQ(wisher.due({800, 600}, start), std::nullopt);
  wisher.window_is({1000, 700}, start);
  wisher.window_is({1100, 700}, start + 200ms);
  EXPECT_EQ(wisher.due({800, 600}, start + 300ms), std::nullopt);
  EXPECT_EQ(wisher.next(), start + 450ms);
  EXPECT_EQ(wisher.due({800, 600}, start + 450ms), (Size{1100, 700}));
  EXPECT_EQ(wisher.next(), std::nullopt);
  // What the server made of it is not argued about.
  EXPECT_EQ(wisher.due({1096, 700}, start + 10s), std::nullopt);
  wisher.begin_anew();
  EXPECT_EQ(wisher.due({1096, 700}, start + 10s), (Size{1100, 700}));
}

TEST(SizeWisher, AsksNothingThatIsThereOrCannotBe) {
  SizeWisher wisher;
  const SteadyTime start = SteadyClock::now();
  wisher.window_is({800, 600}, start);
  EXPECT_EQ(wisher.due({800, 600}, start + 1s), std::nullopt);
  wisher.window_is({16384, 16384}, start);
  EXPECT_EQ(wisher.due({800, 600}, start + 1s), std::nullopt);
  EXPECT_EQ(wisher.next(), std::nullopt);
}

TEST(DeskNews, TheNewestOfEachKindIsTakenOnce) {
  DeskNewsBox box;
  box.put(3, ServerHello{"m", "cpu"});
  box.put(3, PointerPosition{1, 1});
  box.put(3, PointerPosition{2, 2});
  box.put(3, Control{ControlState::yours});
  const DeskNews news = box.take();
  EXPECT_EQ(news.connection, 3U);
  EXPECT_EQ(news.hello->model_ver, "m");
  EXPECT_EQ(news.pointer, (PointerPosition{2, 2}));
  EXPECT_EQ(news.control, ControlState::yours);
  EXPECT_FALSE(news.clipboard);
  EXPECT_FALSE(box.take().hello);
  EXPECT_EQ(box.take().connection, 3U);
}

TEST(DeskNews, AnotherConnectionBeginsAnewButForTheNotice) {
  DeskNewsBox box;
  box.put(3, Control{ControlState::yours});
  box.put(3, Bye{"upgrade"});
  box.put(4, ServerHello{});
  const DeskNews news = box.take();
  EXPECT_EQ(news.connection, 4U);
  EXPECT_FALSE(news.control);
  EXPECT_EQ(news.notice, "The server says goodbye: upgrade");
}

}  // namespace
}  // namespace latentdesk
