#include "client/hot_keys.h"
#include "client/input.h"
#include "client/key_translator.h"
#include "client/keysyms.h"

#include <SDL2/SDL_keycode.h>
#include <SDL2/SDL_mouse.h>
#include <gtest/gtest.h>

namespace latentdesk {
namespace {

using Events = std::vector<InputEvent>;

constexpr uint32_t kShiftL = 0xffe1;
constexpr uint32_t kControlL = 0xffe3;
constexpr uint32_t kAltL = 0xffe9;
constexpr uint32_t kIsoLevel3Shift = 0xfe03;
constexpr uint32_t kAltR = 0xffea;

const KeyStroke kA{SDL_SCANCODE_A, SDLK_a, 0};
const KeyStroke kE{SDL_SCANCODE_E, SDLK_e, 0};
const KeyStroke kQ{SDL_SCANCODE_Q, SDLK_q, KMOD_RALT};
const KeyStroke kOne{SDL_SCANCODE_1, SDLK_1, KMOD_LSHIFT};
const KeyStroke kShift{SDL_SCANCODE_LSHIFT, SDLK_LSHIFT, KMOD_LSHIFT};
const KeyStroke kControl{SDL_SCANCODE_LCTRL, SDLK_LCTRL, KMOD_LCTRL};
const KeyStroke kAlt{SDL_SCANCODE_LALT, SDLK_LALT, KMOD_LALT};
const KeyStroke kRightAlt{SDL_SCANCODE_RALT, SDLK_RALT, KMOD_RALT};
const KeyStroke kDead{SDL_SCANCODE_EQUALS, SDLK_SCANCODE_MASK, 0};  // as SDL tells of a dead key
const KeyStroke kCyrillicEs{SDL_SCANCODE_C, 0x441, 0};
const KeyStroke kKeypad7{SDL_SCANCODE_KP_7, SDLK_KP_7, 0};

/// A translator and what it gave.
class Typist {
 public:
  explicit Typist(uint32_t layout_gives = 0)
      : keys_([layout_gives](const KeyStroke&) { return layout_gives; }) {}

  Typist& down(const KeyStroke& key, bool is_repeat = false) {
    keys_.key_down(key, is_repeat, events_);
    return *this;
  }
  Typist& up(const KeyStroke& key) {
    keys_.key_up(key.scancode, events_);
    return *this;
  }
  Typist& text(const std::string& utf8) {
    keys_.text(utf8, events_);
    return *this;
  }
  Typist& settle() {
    keys_.settle(events_);
    return *this;
  }

  const Events& events() const { return events_; }
  KeyTranslator& keys() { return keys_; }

 private:
  KeyTranslator keys_;
  Events events_;
};

InputEvent down(uint32_t keysym) { return KeyInput{keysym, true}; }
InputEvent up(uint32_t keysym) { return KeyInput{keysym, false}; }

TEST(KeyTranslator, TextGoesDownAsItsCharacterAndUpWithItsKey) {
  Typist typist;
  typist.down(kShift).down(kA).text("A").settle().up(kShift).up(kA);
  EXPECT_EQ(typist.events(), (Events{down(kShiftL), down('A'), up(kShiftL), up('A')}));
  EXPECT_FALSE(typist.keys().holds());
}

TEST(KeyTranslator, CharactersBeyondLatin1AreUnicodeKeysyms) {
  Typist typist;
  typist.down(kA).text("안").up(kA).down(kE).text("€").up(kE).down(kQ).text("ü").up(kQ);
  EXPECT_EQ(typist.events(), (Events{down(0x0100c548), up(0x0100c548), down(0x010020ac), up(0x010020ac),
                                     down(0xfc), up(0xfc)}));
}

TEST(KeyTranslator, ADeadKeyIsInTheTextOfTheNext) {
  Typist typist;
  typist.down(kDead).settle().up(kDead).down(kE).text("é").settle().up(kE);
  EXPECT_EQ(typist.events(), (Events{down(0xe9), up(0xe9)}));
}

TEST(KeyTranslator, AltGrStaysHereAndRightAltDoesNot) {
  Typist typist(kIsoLevel3Shift);
  typist.down(kRightAlt).down(kQ).text("@").up(kRightAlt).up(kQ);
  EXPECT_EQ(typist.events(), (Events{down('@'), up('@')}));
  Typist other(kAltR);
  other.down(kRightAlt).up(kRightAlt);
  EXPECT_EQ(other.events(), (Events{down(kAltR), up(kAltR)}));
  constexpr uint32_t kMetaR = 0xffe8;  // what Shift makes of it
  Typist shifted(kMetaR);
  shifted.down(kRightAlt);
  EXPECT_EQ(shifted.events(), Events{down(kAltR)});
}

TEST(KeyTranslator, ACommandGoesAtOnceAndItsTextIsDropped) {
  Typist typist('!');
  typist.down(kControl).down(kShift).down(kOne).text("!").settle().up(kOne);
  EXPECT_EQ(typist.events(), (Events{down(kControlL), down(kShiftL), down('!'), up('!')}));
  Typist alt('a');
  alt.down(kAlt).down(kA).text("a").up(kAlt).up(kA);
  EXPECT_EQ(alt.events(), (Events{down(kAltL), down('a'), up(kAltL), up('a')}));
}

TEST(KeyTranslator, ACommandOnAKeyWithoutLatinLetterIsThatOfItsPlace) {
  constexpr uint32_t kCyrillicEsKeysym = 0x6d3;
  Typist typist(kCyrillicEsKeysym);
  typist.down(kControl).down(kCyrillicEs).text("с");
  EXPECT_EQ(typist.events(), (Events{down(kControlL), down('c')}));
}

TEST(KeyTranslator, ACommandWithoutAKnownLayoutTakesTheKeycode) {
  Typist typist;
  KeyStroke shifted = kA;
  shifted.mods = KMOD_LSHIFT;
  typist.down(kControl).down(kShift).down(shifted);
  EXPECT_EQ(typist.events(), (Events{down(kControlL), down(kShiftL), down('A')}));
}

TEST(KeyTranslator, RepetitionsAreTheServers) {
  Typist typist;
  typist.down(kA).text("a");
  for (int i = 0; i < 3; ++i) typist.down(kA, true).text("a").settle();
  typist.up(kA);
  EXPECT_EQ(typist.events(), (Events{down('a'), up('a')}));
}

TEST(KeyTranslator, TextWithoutAKeyOrOfSeveralCharactersGoesAsText) {
  Typist typist;
  typist.text("안녕").down(kA).text("لا").settle().up(kA).down(kA).settle().text("가");
  EXPECT_EQ(typist.events(), (Events{TextInput{"안녕"}, TextInput{"لا"}, TextInput{"가"}}));
  EXPECT_FALSE(typist.keys().holds());
}

TEST(KeyTranslator, TextThatIsNoUtf8IsNotSent) {
  Typist typist;
  typist.down(kA).text("\xff").text("");
  EXPECT_EQ(typist.events(), Events{});
}

TEST(KeyTranslator, TheKeypadStaysAKeypad) {
  constexpr uint32_t kKp7 = 0xffb7;
  constexpr uint32_t kKpHome = 0xff95;
  Typist typist;
  typist.down(kKeypad7).text("7").settle().up(kKeypad7);  // Num Lock is on
  typist.down(kKeypad7).settle().up(kKeypad7);            // and off
  EXPECT_EQ(typist.events(), (Events{down(kKp7), up(kKp7), down(kKpHome), up(kKpHome)}));
  EXPECT_EQ(keysyms_of_keypad(SDLK_KP_0).with_num_lock, 0xffb0U);
  EXPECT_EQ(keysyms_of_keypad(SDLK_KP_0).without, 0xff9eU);
  EXPECT_EQ(keysyms_of_keypad(SDLK_KP_1).with_num_lock, 0xffb1U);
  EXPECT_EQ(keysyms_of_keypad(SDLK_KP_9).with_num_lock, 0xffb9U);
}

TEST(KeyTranslator, LocksStayHere) {
  Typist typist;
  typist.down({SDL_SCANCODE_CAPSLOCK, SDLK_CAPSLOCK, 0})
      .down({SDL_SCANCODE_NUMLOCKCLEAR, SDLK_NUMLOCKCLEAR, 0});
  EXPECT_EQ(typist.events(), Events{});
}

TEST(Keysyms, KeysWithoutText) {
  EXPECT_EQ(keysym_of_key(SDLK_F1), 0xffbeU);
  EXPECT_EQ(keysym_of_key(SDLK_F12), 0xffc9U);
  EXPECT_EQ(keysym_of_key(SDLK_F13), 0xffcaU);
  EXPECT_EQ(keysym_of_key(SDLK_ESCAPE), 0xff1bU);
  EXPECT_EQ(keysym_of_key(SDLK_a), 0U);
  EXPECT_EQ(keysym_of_character(U'\n'), 0U);
}

TEST(Keysyms, OnlyCharacter) {
  EXPECT_EQ(only_character("a"), U'a');
  EXPECT_EQ(only_character("ß"), U'ß');
  EXPECT_EQ(only_character("안"), U'안');
  EXPECT_EQ(only_character("😀"), U'😀');
  EXPECT_EQ(only_character("ab"), 0U);
  EXPECT_EQ(only_character("ßa"), 0U);
  EXPECT_EQ(only_character(""), 0U);
}

TEST(HotKeys, NeedAllThreeModifiersAndKnowTheKeysPlace) {
  EXPECT_EQ(hot_key({SDL_SCANCODE_F, SDLK_f, KMOD_LCTRL | KMOD_LALT | KMOD_RSHIFT}), HotKey::full_screen);
  EXPECT_EQ(hot_key({SDL_SCANCODE_F, SDLK_f, KMOD_LCTRL | KMOD_LALT}), std::nullopt);
  EXPECT_EQ(hot_key({SDL_SCANCODE_Q, 0x439, KMOD_LCTRL | KMOD_LALT | KMOD_LSHIFT}),
            HotKey::quit);  // Cyrillic
  EXPECT_EQ(hot_key({SDL_SCANCODE_A, SDLK_q, KMOD_LCTRL | KMOD_LALT | KMOD_LSHIFT}), HotKey::quit);  // French
  EXPECT_EQ(hot_key({SDL_SCANCODE_LSHIFT, SDLK_LSHIFT, KMOD_LCTRL | KMOD_LALT | KMOD_LSHIFT}), std::nullopt);
}

TEST(Wheel, FractionsAddUpAndTurningBackBeginsAnew) {
  WheelAccumulator wheel;
  int sum = 0;
  for (int i = 0; i < 30; ++i) sum += wheel.add(0.1);
  EXPECT_EQ(sum, 3);
  EXPECT_EQ(wheel.add(0.9), 0);
  EXPECT_EQ(wheel.add(-0.5), 0);
  EXPECT_EQ(wheel.add(-0.5), -1);
  EXPECT_EQ(wheel.add(1e9), kMaxScroll);
  EXPECT_EQ(wheel.add(2.0), 2);
}

InputGatherer gatherer() {
  return InputGatherer([](const KeyStroke&) { return 0U; });
}

TEST(InputGatherer, OnlyMovesThatFollowEachOtherMerge) {
  InputGatherer input = gatherer();
  input.move({1, 1});
  input.move({2, 2});
  input.button(SDL_BUTTON_LEFT, true, {2, 2});
  input.move({3, 3});
  input.move({4, 4});
  input.button(SDL_BUTTON_LEFT, false, {5, 5});
  input.scroll(0, 1);
  input.scroll(0, 1);
  const auto messages = input.take();
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].events, (Events{MoveInput{2, 2}, ButtonInput{1, true}, MoveInput{5, 5},
                                        ButtonInput{1, false}, ScrollInput{0, 1}, ScrollInput{0, 1}}));
  EXPECT_TRUE(input.take().empty());
}

TEST(InputGatherer, ButtonsAreX11s) {
  InputGatherer input = gatherer();
  for (const int button :
       {SDL_BUTTON_LEFT, SDL_BUTTON_MIDDLE, SDL_BUTTON_RIGHT, SDL_BUTTON_X1, SDL_BUTTON_X2, 6, 255})
    input.button(button, true, {0, 0});
  std::vector<int> numbers;
  const std::vector<Input> messages = input.take();
  for (const InputEvent& event : messages.at(0).events) {
    if (const auto* button = std::get_if<ButtonInput>(&event)) numbers.push_back(button->button);
  }
  EXPECT_EQ(numbers, (std::vector<int>{1, 2, 3, 8, 9}));
}

TEST(InputGatherer, NothingIsLostWhereMessagesAreFull) {
  InputGatherer input = gatherer();
  for (int i = 0; i < 300; ++i) input.scroll(0, i % 2 == 0 ? 1 : -1);
  const auto messages = input.take();
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].events.size(), kMaxInputEvents);
  EXPECT_EQ(messages[1].events.size(), 300 - kMaxInputEvents);
}

TEST(InputGatherer, ReleaseLetsGoOfKeysAndButtonsOnce) {
  InputGatherer input = gatherer();
  input.release();
  EXPECT_TRUE(input.take().empty());
  input.key_down(kShift, false);
  input.button(SDL_BUTTON_LEFT, true, {7, 8});
  EXPECT_TRUE(input.holds());
  input.release();
  EXPECT_FALSE(input.holds());
  input.key_up(kShift.scancode);
  EXPECT_EQ(input.take().at(0).events,
            (Events{down(kShiftL), MoveInput{7, 8}, ButtonInput{1, true}, ReleaseInput{}}));
}

TEST(InputGatherer, PointingAndHoldingModifiersIsNoDeed) {
  InputGatherer input = gatherer();
  input.move({1, 1});
  input.key_down(kControl, false);
  input.key_down(kShift, false);
  input.release();
  EXPECT_FALSE(input.is_deed());
  input.scroll(0, 1);
  EXPECT_TRUE(input.is_deed());
  input.take();
  EXPECT_FALSE(input.is_deed());
  input.button(SDL_BUTTON_LEFT, true, {1, 1});
  EXPECT_TRUE(input.is_deed());
  input.forget();
  input.key_down(kA, false);
  EXPECT_FALSE(input.is_deed());
  input.text("x");
  EXPECT_TRUE(input.is_deed());
}

TEST(InputGatherer, AChordGoesUpBackwards) {
  InputGatherer input = gatherer();
  input.chord({kControlL, kAltL});
  EXPECT_EQ(input.take().at(0).events, (Events{down(kControlL), down(kAltL), up(kAltL), up(kControlL)}));
}

}  // namespace
}  // namespace latentdesk
