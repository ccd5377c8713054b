#include "server/x11_cursor.h"
#include "tests/desk_fixture.h"

#include <atomic>

#include <X11/cursorfont.h>
#include <X11/extensions/XTest.h>

// Pointer, cursor, size, and the end of what is held down, on a real Xvfb.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

TEST_F(DeskTest, LettingGoReleasesKeysAndButtons) {
  open_desk();
  do_all({MoveInput{10, 20}, KeyInput{XK_Shift_L, true}, KeyInput{'a', true}, KeyInput{0x0100ac00, true},
          ButtonInput{1, true}, ButtonInput{9, true}});
  ASSERT_TRUE(eventually([this] { return desk_->is_holding() && is_any_key_down(); }));
  ASSERT_TRUE(eventually([this] { return buttons_and_modifiers() == (ShiftMask | Button1Mask); }));
  desk_->push(LetGo{});
  EXPECT_TRUE(eventually([this] { return !desk_->is_holding(); }));
  EXPECT_FALSE(is_any_key_down());
  EXPECT_EQ(buttons_and_modifiers(), 0u);
}

TEST_F(DeskTest, ItsEndReleasesThemToo) {
  open_desk();
  do_all({KeyInput{XK_Control_L, true}, ButtonInput{3, true}});
  ASSERT_TRUE(eventually([this] { return buttons_and_modifiers() == (ControlMask | Button3Mask); }));
  desk_->stop();
  thread_.join();
  EXPECT_EQ(buttons_and_modifiers(), 0u);
}

TEST_F(DeskTest, ItsEndLeavesTheKeymapAsItWas) {
  const std::string before = output_of("xmodmap -pke");
  open_desk();
  do_all({TextInput{"안녕"}});
  ASSERT_TRUE(eventually([&] { return output_of("xmodmap -pke") != before; }));
  desk_->stop();
  thread_.join();
  EXPECT_EQ(output_of("xmodmap -pke"), before);
}

TEST_F(DeskTest, ALongTextIsLeftUndoneWhenItsViewerGoes) {
  open_desk();
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += std::string("\xea") + static_cast<char>(0xb0 + i / 64) + static_cast<char>(0x80 + i % 64);
  do_all({KeyInput{XK_Shift_L, true}, TextInput{text}});
  ASSERT_TRUE(eventually([this] { return desk_->is_holding(); }));
  const auto start = SteadyClock::now();
  desk_->push(LetGo{});
  EXPECT_TRUE(eventually([this] { return !desk_->is_holding(); }));
  EXPECT_LT(SteadyClock::now() - start, 2s);
  EXPECT_EQ(buttons_and_modifiers(), 0u);
}

TEST_F(DeskTest, TellsThePointerAndWhoMovedIt) {
  open_desk();
  ASSERT_TRUE(eventually([this] { return last(pointers_).has_value(); }));
  do_all({MoveInput{100, 200}});
  EXPECT_TRUE(eventually([this] { return last(pointers_) == DeskPointer{100, 200, true}; }));
  XTestFakeMotionEvent(connection_->get(), -1, 300, 150, CurrentTime);  // as from the server's own mouse
  XSync(connection_->get(), False);
  EXPECT_TRUE(eventually([this] { return last(pointers_) == DeskPointer{300, 150, false}; }));
}

TEST_F(DeskTest, TellsTheCursorsShape) {
  open_desk();
  ASSERT_TRUE(eventually([this] { return last(cursors_).has_value(); }));
  const auto before = last(cursors_);
  Display* display = connection_->get();
  XDefineCursor(display, connection_->root(), XCreateFontCursor(display, XC_left_ptr));
  XSync(display, False);
  ASSERT_TRUE(eventually([&] { return last(cursors_) != before; }));
  const CursorShape arrow = *last(cursors_);
  EXPECT_EQ(arrow.pixels.size(), arrow.size.pixels() * kBytesPerPixel);
  const std::array<char, 1> nothing{};
  const Pixmap empty = XCreateBitmapFromData(display, connection_->root(), nothing.data(), 1, 1);
  XColor black{};
  XDefineCursor(display, connection_->root(),
                XCreatePixmapCursor(display, empty, empty, &black, &black, 0, 0));
  XSync(display, False);
  EXPECT_TRUE(eventually([this] { return last(cursors_) == CursorShape{}; }));
}

TEST(CursorShape, ColoursAreNoLongerMultiplied) {
  CursorPicture picture{.size = {2, 1}, .hot_x = 1, .pixels = {0x80402010, 0xff0a0b0c}};
  const CursorShape shape = cursor_shape(picture);
  const std::vector<uint8_t> expected{32, 64, 128, 128, 12, 11, 10, 255};
  EXPECT_EQ(shape.pixels, expected);
  EXPECT_EQ(shape.hot_x, 1);
}

TEST(CursorShape, IsCutToWhatAViewerTakes) {
  CursorPicture picture{
      .size = {300, 300}, .hot_x = 280, .hot_y = 3, .pixels = std::vector<uint32_t>(90000, ~0u)};
  const CursorShape shape = cursor_shape(picture);
  EXPECT_EQ(shape.size, (Size{kMaxCursorSide, kMaxCursorSide}));
  EXPECT_EQ(shape.hot_x, kMaxCursorSide - 1);
  EXPECT_EQ(shape.hot_y, 3);
}

class DeskSize : public DeskTest {
 protected:
  DeskSize() : DeskTest({1600, 1200}) {}
  Size size() {
    XWindowAttributes root{};
    XGetWindowAttributes(connection_->get(), connection_->root(), &root);
    return {root.width, root.height};
  }
};

TEST_F(DeskSize, IsWhatTheViewerWishesWithinTheServersLimits) {
  open_desk();
  EXPECT_TRUE(desk_->can_resize());
  for (const Size wish :
       {Size{1024, 768}, Size{1599, 901}, Size{1024, 768}, Size{1600, 1200}, Size{801, 599}}) {
    desk_->push(SizeWish{wish});
    EXPECT_TRUE(eventually([&] { return size() == wish; })) << wish.width;
  }
  desk_->push(SizeWish{{16000, 1}});
  EXPECT_TRUE(eventually([&] { return size() == Size{1600, 64}; }));
  // No mode is left behind but the one that is shown.
  const std::string modes = output_of("xrandr");
  EXPECT_EQ(modes.find("801x599"), std::string::npos) << modes;
}

TEST_F(DeskSize, StaysWhereTheServersOwnerWantsIt) {
  DeskOptions options;
  options.resize = false;
  open_desk(options);
  EXPECT_FALSE(desk_->can_resize());
  desk_->push(SizeWish{{1024, 768}});
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(size(), (Size{1600, 1200}));
}

TEST(Desk, SurvivesItsServerAndFindsItAgain) {
  auto first = std::make_unique<VirtualDisplay>(Size{800, 600});
  const std::string name = first->name();
  setenv("XAUTHORITY", first->authority_file().c_str(), 1);
  std::atomic<int> x = 0;
  Desk desk({.display = name},
            {[](CursorShape) {}, [&](DeskPointer at) { x = at.x; }, [](std::string) {}, [] {}});
  std::thread thread([&] { desk.run(); });
  desk.push(InputEvent(MoveInput{100, 100}));
  EXPECT_TRUE(eventually([&] { return x == 100; }));
  first.reset();
  const ChildProcess second({"Xvfb", name, "-screen", "0", "400x300x24"}, {});
  EXPECT_TRUE(eventually([&] {
    desk.push(InputEvent(MoveInput{200, 100}));
    return x == 200;
  }));
  desk.stop();
  thread.join();
}

}  // namespace
}  // namespace latentdesk
