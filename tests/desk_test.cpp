#include "server/desk.h"

#include "server/virtual_display.h"
#include "server/x11_connection.h"
#include "server/x11_cursor.h"
#include "tests/eventually.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <unistd.h>

#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/cursorfont.h>
#include <X11/extensions/XTest.h>
#include <X11/keysym.h>
#undef CursorShape  // a macro of Xlib

// Against a real Xvfb, with real programs that are typed into and pasted from.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

constexpr Size kSize{800, 600};
const std::string kText = "Grüße, 안녕, ¿qué? 42 ABC xyz @{}[]~\\ ÄÖ€\n";

/// Of this process alone.
std::string temporary_file(const std::string& name) {
  return testing::TempDir() + "desk-" + name + "-" + std::to_string(getpid());
}

std::u32string characters_of(const std::string& utf8) {
  std::u32string characters;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) == 0x80) {
      characters.back() = characters.back() << 6 | (byte & 0x3f);
    } else {
      characters += byte < 0x80 ? byte : byte < 0xe0 ? byte & 0x1f : byte < 0xf0 ? byte & 0xf : byte & 7;
    }
  }
  return characters;
}

uint32_t keysym(char32_t c) { return c == '\n' ? XK_Return : c < 0x100 ? c : 0x01000000 | c; }

/// A desk on a display of its own, and what it has told.
class DeskTest : public testing::Test {
 protected:
  explicit DeskTest(Size size = kSize) : display_(size) {
    setenv("XAUTHORITY", display_.authority_file().c_str(), 1);
    connection_ = std::make_unique<X11Connection>(display_.name());
  }
  ~DeskTest() override {
    if (desk_) desk_->stop();
    if (thread_.joinable()) thread_.join();
  }

  void open_desk(DeskOptions options = {}) {
    options.display = display_.name();
    desk_ = std::make_unique<Desk>(
        options, DeskEvents{[this](CursorShape shape) { note(cursors_, shape); },
                            [this](DeskPointer at) { note(pointers_, at); },
                            [this](std::string text) { note(copied_, text); }, [this] { note(rooms_, 1); }});
    thread_ = std::thread([this] { desk_->run(); });
  }

  template <typename Value>
  void note(std::vector<Value>& values, Value value) {
    std::lock_guard lock(mutex_);
    values.push_back(std::move(value));
  }
  template <typename Value>
  std::optional<Value> last(const std::vector<Value>& values) {
    std::lock_guard lock(mutex_);
    return values.empty() ? std::nullopt : std::optional(values.back());
  }

  void do_all(const std::vector<InputEvent>& events) {
    for (const InputEvent& event : events) desk_->push(event);
  }
  void tap(uint32_t symbol) { do_all({KeyInput{symbol, true}, KeyInput{symbol, false}}); }

  /// A shell command on the display; its output.
  std::string output_of(const std::string& command) {
    const std::string file = temporary_file("output");
    const std::string line =
        "DISPLAY=" + display_.name() + " LC_ALL=C.UTF-8 timeout 20 " + command + " > " + file;
    if (std::system(line.c_str()) != 0) return "failed: " + command;
    return content_of(file);
  }
  static std::string content_of(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  /// A window that has the focus and gets the keys.
  Window open_window() {
    Display* display = connection_->get();
    XSetWindowAttributes attributes{};
    attributes.event_mask = KeyPressMask | KeyReleaseMask | ButtonPressMask | ButtonReleaseMask;
    attributes.override_redirect = True;
    const Window window = XCreateWindow(display, connection_->root(), 0, 0, 800, 600, 0, CopyFromParent,
                                        InputOutput, nullptr, CWEventMask | CWOverrideRedirect, &attributes);
    XMapRaised(display, window);
    XSync(display, False);
    XSetInputFocus(display, window, RevertToPointerRoot, CurrentTime);
    XSync(display, False);
    return window;
  }

  /// The keysyms of the key presses that have come, as a program sees them.
  std::vector<KeySym> pressed_keysyms(std::chrono::milliseconds time) {
    std::vector<KeySym> seen;
    const auto end = SteadyClock::now() + time;
    while (SteadyClock::now() < end) {
      while (XPending(connection_->get()) > 0) {
        XEvent event;
        XNextEvent(connection_->get(), &event);
        if (event.type == MappingNotify) XRefreshKeyboardMapping(&event.xmapping);
        if (event.type != KeyPress) continue;
        char text[16];
        KeySym symbol = NoSymbol;
        XLookupString(&event.xkey, text, sizeof text, &symbol, nullptr);
        seen.push_back(symbol);
      }
      std::this_thread::sleep_for(5ms);
    }
    return seen;
  }

  bool is_any_key_down() {
    std::array<char, 32> keys{};
    XQueryKeymap(connection_->get(), keys.data());
    return std::any_of(keys.begin(), keys.end(), [](char byte) { return byte != 0; });
  }
  unsigned buttons_and_modifiers() {
    Window root, child;
    int x, y, window_x, window_y;
    unsigned mask = 0;
    XQueryPointer(connection_->get(), connection_->root(), &root, &child, &x, &y, &window_x, &window_y,
                  &mask);
    return mask;
  }

  VirtualDisplay display_;
  std::unique_ptr<X11Connection> connection_;
  std::mutex mutex_;
  std::vector<CursorShape> cursors_;
  std::vector<DeskPointer> pointers_;
  std::vector<std::string> copied_;
  std::vector<int> rooms_;
  std::unique_ptr<Desk> desk_;
  std::thread thread_;
};

class Typing : public DeskTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    std::filesystem::remove(file_);
    open_desk();
    output_of(std::string("setxkbmap ") + GetParam());
    terminal_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"xterm", "-u8", "-geometry", "100x40+0+0", "-e", "cat > " + file_},
        std::vector<std::string>{"DISPLAY=" + display_.name(), "LC_ALL=C.UTF-8"});
    do_all({MoveInput{100, 100}});
    // It has the focus once it is there.
    ASSERT_TRUE(eventually([this] { return std::filesystem::exists(file_); }));
    std::this_thread::sleep_for(200ms);
  }
  std::string typed(size_t lines) {
    eventually([&] {
      const std::string text = content_of(file_);
      return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) >= lines;
    });
    return content_of(file_);
  }

  const std::string file_ = temporary_file("typed");
  std::unique_ptr<ChildProcess> terminal_;
};

TEST_P(Typing, AnyTextKeyByKeyAndAsText) {
  for (const char32_t c : characters_of(kText)) tap(keysym(c));
  do_all({TextInput{kText}});
  EXPECT_EQ(typed(2), kText + kText);
}

TEST_P(Typing, WithTheShiftThatTheViewerHolds) {
  // As from a German keyboard, where / is Shift+7 and ? is Shift+ß.
  for (const char32_t c : characters_of("A/?=ÜZ")) {
    do_all({KeyInput{XK_Shift_L, true}, KeyInput{keysym(c), true}, KeyInput{keysym(c), false},
            KeyInput{XK_Shift_L, false}});
  }
  tap('a');
  tap(XK_Return);
  EXPECT_EQ(typed(1), "A/?=ÜZa\n");
}

TEST_P(Typing, UnderCapsLockAndNumLock) {
  tap(XK_Caps_Lock);
  for (const char32_t c : characters_of("Aaü")) tap(keysym(c));
  tap(XK_Caps_Lock);
  for (const char32_t c : characters_of("Aa")) tap(keysym(c));
  tap(XK_KP_7);
  tap(XK_Num_Lock);
  tap(XK_KP_7);
  tap('1');
  tap(XK_Num_Lock);
  tap(XK_Return);
  EXPECT_EQ(typed(1), "AaüAa771\n");
}

// More characters without a key than there are spare keycodes.
TEST_P(Typing, ManyCharactersThatNoKeyHas) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += std::string("\xea\xb0") + static_cast<char>(0x80 + i);
  do_all({TextInput{text + "\n"}});
  EXPECT_EQ(typed(1), text + "\n");
}

INSTANTIATE_TEST_SUITE_P(Layouts, Typing, testing::Values("us", "de", "fr", "us,ru"), [](const auto& test) {
  std::string name = test.param;
  std::erase(name, ',');
  return name;
});

TEST_F(DeskTest, AHeldKeyRepeatsAsItself) {
  open_desk();
  open_window();
  // Shift+7 of a German keyboard: on this one / has no Shift.
  do_all({KeyInput{XK_Shift_L, true}, KeyInput{'/', true}});
  const auto repeated = pressed_keysyms(1200ms);
  EXPECT_GT(std::count(repeated.begin(), repeated.end(), KeySym{'/'}), 3);
  EXPECT_EQ(std::count(repeated.begin(), repeated.end(), KeySym{'?'}), 0);
  do_all({KeyInput{'/', false}});
  ASSERT_TRUE(eventually([this] { return buttons_and_modifiers() == ShiftMask; }));
  do_all({KeyInput{XK_Shift_L, false}, KeyInput{0x0100ac00, true}});
  const auto spare = pressed_keysyms(1200ms);
  EXPECT_GT(std::count(spare.begin(), spare.end(), KeySym{0x0100ac00}), 3);
}

TEST_F(DeskTest, KeysOfAFunctionKeepTheModifiers) {
  open_desk();
  open_window();
  do_all({KeyInput{XK_Shift_L, true}});
  tap(XK_Tab);
  do_all({KeyInput{XK_Shift_L, false}, KeyInput{XK_Control_L, true}});
  tap(XK_F5);
  tap('c');
  do_all({KeyInput{XK_Control_L, false}});
  const std::vector<KeySym> expected{XK_Shift_L, XK_ISO_Left_Tab, XK_Control_L, XK_F5, 'c'};
  EXPECT_EQ(pressed_keysyms(300ms), expected);
}

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

class DeskClipboard : public DeskTest {
 protected:
  /// A program copies it, and keeps it until another does.
  void copy(const std::string& text) {
    const std::string file = temporary_file("copied");
    std::ofstream(file, std::ios::binary) << text;
    output_of("xclip -selection clipboard -i " + file);
  }
  static std::string repeated(const std::string& text, size_t times) {
    std::string all;
    for (size_t i = 0; i < times; ++i) all += text;
    return all;
  }
};

TEST_F(DeskClipboard, ProgramsPasteWhatTheViewerCopied) {
  open_desk();
  desk_->push(Clipboard{"Grüße, 안녕"});
  EXPECT_TRUE(eventually([this] { return output_of("xclip -o -selection clipboard") == "Grüße, 안녕"; }));
  EXPECT_EQ(output_of("xclip -o -selection primary"), "Grüße, 안녕");
  EXPECT_EQ(output_of("xclip -o -selection clipboard -t STRING"),
            "Gr\xfc\xdf"
            "e, ??");
  EXPECT_NE(output_of("xclip -o -selection clipboard -t TARGETS").find("UTF8_STRING"), std::string::npos);
}

TEST_F(DeskClipboard, ALongTextIsPastedInPieces) {
  open_desk();
  const std::string text = repeated("Grüße ", kMaxClipboardBytes / 8);
  desk_->push(Clipboard{text});
  EXPECT_TRUE(eventually([&] { return output_of("xclip -o -selection clipboard") == text; }));
}

TEST_F(DeskClipboard, TheViewerGetsWhatProgramsCopy) {
  open_desk();
  desk_->watch_clipboard(true);
  std::this_thread::sleep_for(100ms);
  copy("¿qué? 안녕");
  EXPECT_TRUE(eventually([this] { return last(copied_) == "¿qué? 안녕"; }));
  const std::string text = repeated("äöü", kMaxClipboardBytes / 8);
  copy(text);  // in pieces
  EXPECT_TRUE(eventually([&] { return last(copied_) == text; }));
  copy(std::string(kMaxClipboardBytes + 1, 'x'));
  copy("short");
  EXPECT_TRUE(eventually([this] { return last(copied_) == "short"; }));
  std::lock_guard lock(mutex_);
  EXPECT_EQ(copied_.size(), 3u);  // not the one that was too long
}

TEST_F(DeskClipboard, IsNotReadForNobody) {
  open_desk();
  copy("secret");
  std::this_thread::sleep_for(300ms);
  EXPECT_FALSE(last(copied_));
}

TEST_F(DeskClipboard, AProgramThatDoesNotAnswerHoldsNothingUp) {
  open_desk();
  desk_->watch_clipboard(true);
  std::this_thread::sleep_for(100ms);
  Display* display = connection_->get();
  const Window window = open_window();
  XSetSelectionOwner(display, XInternAtom(display, "CLIPBOARD", False), window, CurrentTime);
  XSync(display, False);
  const auto start = SteadyClock::now();
  tap('a');
  EXPECT_EQ(pressed_keysyms(200ms), std::vector<KeySym>{'a'});
  copy("the next");
  EXPECT_TRUE(eventually([this] { return last(copied_) == "the next"; }));
  EXPECT_LT(SteadyClock::now() - start, 2s);
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
  auto first = std::make_unique<VirtualDisplay>(kSize);
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
