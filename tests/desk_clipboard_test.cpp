#include "tests/desk_fixture.h"

// Copied and pasted by real programs on a real Xvfb.

namespace latentdesk {
namespace {

using namespace std::chrono_literals;

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

}  // namespace
}  // namespace latentdesk
