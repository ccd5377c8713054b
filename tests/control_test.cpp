#include "server/control.h"

#include "server/desk_queue.h"

#include <gtest/gtest.h>

// Who may type, and what is kept of what was typed. No threads, no sockets.

namespace latentdesk {
namespace {

const std::vector<InputEvent> kMove{MoveInput{1, 2}};
const std::vector<InputEvent> kPress{KeyInput{'a', true}};
const std::vector<InputEvent> kLetGo{KeyInput{'a', false}, ButtonInput{1, false}, ReleaseInput{}};

class ControlOfThree : public testing::Test {
 protected:
  ControlOfThree() {
    rules.join(1, true);
    rules.join(2, true);
    rules.join(3, false);
  }
  ControlRules rules{true};
};

TEST_F(ControlOfThree, IsFreeUntilSomebodyDoesSomething) {
  EXPECT_EQ(rules.state_of(1), ControlState::free);
  EXPECT_FALSE(rules.admit(1, kMove));
  EXPECT_FALSE(rules.admit(1, kLetGo));
  EXPECT_EQ(rules.state_of(1), ControlState::free);
  EXPECT_TRUE(rules.admit(1, kPress));
  EXPECT_EQ(rules.state_of(1), ControlState::yours);
  EXPECT_EQ(rules.state_of(2), ControlState::taken);
}

TEST_F(ControlOfThree, InputOfOthersDoesNotCount) {
  rules.admit(1, kPress);
  EXPECT_FALSE(rules.admit(2, kPress));
  EXPECT_TRUE(rules.admit(1, kMove));
  EXPECT_TRUE(rules.admit(1, kLetGo));
}

TEST_F(ControlOfThree, CanBeTakenAndGivenUp) {
  rules.admit(1, kPress);
  rules.wish(2, true);
  EXPECT_EQ(rules.state_of(1), ControlState::taken);
  EXPECT_EQ(rules.state_of(2), ControlState::yours);
  rules.wish(1, false);  // has nothing to give
  EXPECT_EQ(rules.owner(), 2u);
  rules.wish(2, false);
  EXPECT_EQ(rules.state_of(1), ControlState::free);
}

TEST_F(ControlOfThree, IsFreeWhenItsOwnerLeaves) {
  rules.admit(1, kPress);
  rules.leave(1);
  EXPECT_EQ(rules.state_of(2), ControlState::free);
  EXPECT_TRUE(rules.admit(2, kPress));
}

TEST_F(ControlOfThree, WhoOnlyLooksNeverHasIt) {
  rules.wish(3, true);
  EXPECT_FALSE(rules.admit(3, kPress));
  EXPECT_EQ(rules.state_of(3), ControlState::none);
  EXPECT_EQ(rules.state_of(1), ControlState::free);
  EXPECT_FALSE(rules.may_act(3));
  EXPECT_TRUE(rules.may_act(1));
}

TEST(Control, NobodyHasItWhereTheServerTakesNoInput) {
  ControlRules rules(false);
  rules.join(1, true);
  rules.wish(1, true);
  EXPECT_FALSE(rules.admit(1, kPress));
  EXPECT_EQ(rules.state_of(1), ControlState::none);
}

DeskCommand key(uint32_t keysym) { return InputEvent(KeyInput{keysym, true}); }
DeskCommand move(int x) { return InputEvent(MoveInput{x, 0}); }

TEST(DeskQueue, MergesOnlyConsecutiveMovesAndSizes) {
  DeskQueue queue([] {});
  for (int x = 0; x < 5000; ++x) EXPECT_TRUE(queue.push(move(x)));
  queue.push(key('a'));
  queue.push(move(7));
  for (int side = 100; side < 200; ++side) queue.push(SizeWish{{side, side}});
  EXPECT_EQ(std::get<MoveInput>(std::get<InputEvent>(*queue.pop())), (MoveInput{4999, 0}));
  EXPECT_EQ(std::get<KeyInput>(std::get<InputEvent>(*queue.pop())), (KeyInput{'a', true}));
  EXPECT_EQ(std::get<MoveInput>(std::get<InputEvent>(*queue.pop())), (MoveInput{7, 0}));
  EXPECT_EQ(std::get<SizeWish>(*queue.pop()).size, (Size{199, 199}));
  EXPECT_FALSE(queue.pop());
}

TEST(DeskQueue, DropsNothingAndSaysWhenItIsFullAndHasRoom) {
  int rooms = 0;
  DeskQueue queue([&] { ++rooms; });
  const auto events = static_cast<uint32_t>(DeskQueue::kCapacity);
  for (uint32_t i = 1; i < events; ++i) EXPECT_TRUE(queue.push(key(i)));
  EXPECT_FALSE(queue.push(key(events)));
  EXPECT_FALSE(queue.push(key(events + 1)));  // what is under way is taken
  for (uint32_t i = 1; i <= events + 1; ++i) {
    EXPECT_EQ(std::get<KeyInput>(std::get<InputEvent>(*queue.pop())).keysym, i);
    EXPECT_EQ(rooms, events + 1 - i <= events / 2 ? 1 : 0);
  }
  EXPECT_TRUE(queue.push(key(1)));
}

TEST(DeskQueue, AClipboardFillsIt) {
  DeskQueue queue([] {});
  EXPECT_FALSE(queue.push(Clipboard{"text"}));
}

TEST(DeskQueue, WhatSomebodyLeavesUndoneIsForgottenAfterAWhile) {
  DeskQueue queue([] {});
  for (uint32_t i = 1; i < 100; ++i) queue.push(key(i));
  queue.push(LetGo{});
  queue.push(key(1000));
  EXPECT_FALSE(queue.drop_overdue(SteadyClock::now()));
  queue.pop();
  EXPECT_TRUE(queue.drop_overdue(SteadyClock::now() + DeskQueue::kPatience));
  EXPECT_TRUE(std::holds_alternative<LetGo>(*queue.pop()));
  EXPECT_FALSE(queue.drop_overdue(SteadyClock::now() + DeskQueue::kPatience));
  EXPECT_EQ(std::get<KeyInput>(std::get<InputEvent>(*queue.pop())).keysym, 1000u);
}

}  // namespace
}  // namespace latentdesk
