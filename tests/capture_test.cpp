#include "server/virtual_display.h"
#include "server/wake.h"
#include "server/x11_buffers.h"
#include "server/x11_capture.h"
#include "server/x11_connection.h"
#include "server/x11_cursor.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <unistd.h>

#include <X11/Xlib.h>
#include <X11/extensions/XTest.h>

// Against a real Xvfb with a known picture.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

constexpr Size kSize{320, 200};

class X11CaptureTest : public testing::Test {
 protected:
  X11CaptureTest() {
    setenv("XAUTHORITY", display_->authority_file().c_str(), 1);
    connection_ = std::make_unique<X11Connection>(display_->name());
  }

  std::unique_ptr<Capture> open(bool cursor = false) { return open_x11_capture({display_->name(), cursor}); }

  void fill(unsigned long colour, int x, int y, unsigned width, unsigned height) {
    Display* display = connection_->get();
    GC gc = XCreateGC(display, connection_->root(), 0, nullptr);
    XSetSubwindowMode(display, gc, IncludeInferiors);
    XSetForeground(display, gc, colour);
    XFillRectangle(display, connection_->root(), gc, x, y, width, height);
    XFreeGC(display, gc);
    XSync(display, False);
  }

  bool wait(Capture& capture, std::chrono::milliseconds timeout) {
    return capture.wait(wake_.fd(), SteadyClock::now() + timeout);
  }

  /// Takes events until none has come for a moment.
  void settle(Capture& capture, FrameBuffer& buffer) {
    capture.grab(buffer);
    while (wait(capture, 100ms)) capture.grab(buffer);
  }

  static uint32_t pixel(FrameBuffer& buffer, int x, int y) {
    uint32_t value = 0;
    std::memcpy(&value, buffer.view().row(y) + x * kBytesPerPixel, sizeof value);
    return value & 0xffffff;
  }

  std::unique_ptr<VirtualDisplay> display_ = std::make_unique<VirtualDisplay>(kSize);
  std::unique_ptr<X11Connection> connection_;
  Wake wake_;
};

TEST_F(X11CaptureTest, SeesTheKnownPictureThroughSharedMemory) {
  fill(0x102030, 0, 0, 320, 200);
  fill(0xff8000, 10, 20, 5, 5);
  const auto capture = open();
  EXPECT_EQ(capture->size(), kSize);
  const auto buffers = capture->make_buffers(1);
  EXPECT_NE(capture->description().find("shared memory"), std::string::npos);
  capture->grab(*buffers[0]);
  EXPECT_EQ(pixel(*buffers[0], 0, 0), 0x102030u);
  EXPECT_EQ(pixel(*buffers[0], 12, 22), 0xff8000u);
  EXPECT_EQ(pixel(*buffers[0], 319, 199), 0x102030u);
}

TEST_F(X11CaptureTest, SharesMemoryByDescriptorWithoutAnIdentifierOfSystemV) {
  const auto buffers = make_shared_buffers(*connection_, kSize, 1);
  ASSERT_EQ(buffers.size(), 1u);
  std::ifstream file("/proc/self/maps");
  const std::string maps{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(maps.find("memfd:latentdesk-frame"), maps.npos);
  EXPECT_EQ(maps.find("/SYSV"), maps.npos);
}

TEST_F(X11CaptureTest, SeesTheSameWithoutSharedMemory) {
  fill(0x123456, 0, 0, 320, 200);
  const auto buffers = make_plain_buffers(*connection_, kSize, 1);
  ASSERT_TRUE(buffers[0]->fill(*connection_));
  EXPECT_EQ(pixel(*buffers[0], 319, 199), 0x123456u);
}

TEST_F(X11CaptureTest, WaitsForDamageAndIsQuietWithout) {
  const auto capture = open();
  const auto buffers = capture->make_buffers(1);
  settle(*capture, *buffers[0]);
  EXPECT_FALSE(wait(*capture, 200ms));
  fill(0xff0000, 0, 0, 10, 10);
  EXPECT_TRUE(wait(*capture, 2000ms));
  capture->grab(*buffers[0]);
  EXPECT_EQ(pixel(*buffers[0], 5, 5), 0xff0000u);
  EXPECT_FALSE(wait(*capture, 200ms));
}

TEST_F(X11CaptureTest, WakesWithoutDamage) {
  const auto capture = open();
  const auto buffers = capture->make_buffers(1);
  settle(*capture, *buffers[0]);
  wake_.signal();
  const auto start = SteadyClock::now();
  EXPECT_FALSE(capture->wait(wake_.fd(), std::nullopt));
  EXPECT_LT(SteadyClock::now() - start, 1s);
}

TEST_F(X11CaptureTest, ThePointerComesBesideThePictureWhereItIsWanted) {
  Display* display = connection_->get();
  const unsigned shape = 68;  // XC_left_ptr
  Cursor cursor = XCreateFontCursor(display, shape);
  XDefineCursor(display, connection_->root(), cursor);
  fill(0x00ff00, 0, 0, 320, 200);
  const auto move = [display](int x, int y) {
    XTestFakeMotionEvent(display, -1, x, y, CurrentTime);
    XSync(display, False);
  };
  move(100, 100);

  const auto capture = open(true);
  const auto buffers = capture->make_buffers(1);
  settle(*capture, *buffers[0]);
  EXPECT_EQ(pixel(*buffers[0], 101, 103), 0x00ff00u);
  EXPECT_FALSE(capture->cursor());
  move(120, 120);
  EXPECT_FALSE(wait(*capture, 200ms));  // nobody wants it

  capture->watch_cursor(true);
  ASSERT_TRUE(capture->cursor());
  move(200, 150);
  EXPECT_TRUE(wait(*capture, 2000ms));
  capture->grab(*buffers[0]);
  EXPECT_EQ(pixel(*buffers[0], 201, 153), 0x00ff00u);
  draw_cursor(*capture->cursor(), buffers[0]->view());
  EXPECT_NE(pixel(*buffers[0], 201, 153), 0x00ff00u);
  EXPECT_EQ(pixel(*buffers[0], 101, 103), 0x00ff00u);
}

TEST_F(X11CaptureTest, NoPointerWhereItIsNotToBeSeen) {
  const auto capture = open(false);
  capture->watch_cursor(true);
  EXPECT_FALSE(capture->cursor());
}

TEST_F(X11CaptureTest, ServerGoingAwayIsAnErrorAndNoCrash) {
  const auto capture = open();
  const auto buffers = capture->make_buffers(1);
  capture->grab(*buffers[0]);
  connection_.reset();
  const std::string name = display_->name();
  display_.reset();
  EXPECT_THROW(
      {
        wait(*capture, 2000ms);
        capture->grab(*buffers[0]);
      },
      CaptureLost);
  EXPECT_THROW(open_x11_capture({name, false}), CaptureLost);
}

TEST(VirtualDisplay, IsClosedToThoseWithoutItsAuthority) {
  const VirtualDisplay display(kSize);
  setenv("XAUTHORITY", "/dev/null", 1);
  EXPECT_THROW(X11Connection connection(display.name()), CaptureLost);
  setenv("XAUTHORITY", display.authority_file().c_str(), 1);
  EXPECT_NO_THROW(X11Connection connection(display.name()));
}

TEST(ChildProcess, MissingProgramIsAnError) {
  EXPECT_THROW(ChildProcess({"/nowhere/program"}, {}), std::runtime_error);
}

TEST(ChildProcess, InheritsNoDescriptorButThePassedOne) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ChildProcess child({"sh", "-c", "ls /proc/self/fd | tr '\\n' ' ' >&3"}, {}, ends[1]);
  close(ends[1]);
  std::string seen;
  for (char c = 0; read(ends[0], &c, 1) == 1;) seen += c;
  close(ends[0]);
  EXPECT_EQ(seen, "0 1 2 3 4 ");  // the last is ls's own, of the folder it lists
}

TEST(ChildProcess, EndsWithAllItHasStarted) {
  const std::string mark = "sleep 98765";
  {
    ChildProcess child({"sh", "-c", mark + " & " + mark + " & wait"}, {});
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_NE(std::system(("pgrep -f '^" + mark + "' > /dev/null").c_str()), 0);
}

}  // namespace
}  // namespace latentdesk
