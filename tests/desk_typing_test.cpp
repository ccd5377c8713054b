#include "server/child_process.h"
#include "tests/desk_fixture.h"

#include <filesystem>

// What is typed into real programs on a real Xvfb, with several layouts.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

const std::string kText = "Grüße, 안녕, ¿qué? 42 ABC xyz @{}[]~\\ ÄÖ€\n";

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

}  // namespace
}  // namespace latentdesk
