// SPDX-License-Identifier: Apache-2.0
#include "router/http2/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "router/http2/loop.h"

namespace bandit::http2 {
namespace {

constexpr int64_t kTick = TimerWheel::kTickNs;

class TestTimer : public TimerWheel::Timer {
 public:
  void OnExpired() override {
    ++expired;
    if (then) then();
  }
  int expired = 0;
  std::function<void()> then;
};

class TimerWheelTest : public ::testing::Test {
 protected:
  void AdvanceTo(int64_t now) {
    clock = now;
    loop.UpdateTime();
    wheel.Advance();
  }

  int64_t clock = 1000 * kTick;
  Loop loop{[this] { return clock; }};
  TimerWheel& wheel = loop.wheel();
};

TEST_F(TimerWheelTest, ExpiresAfterItsTimeAndWithinATick) {
  TestTimer timer;
  const int64_t at = clock + 5 * kTick + 3;
  wheel.Set(timer, at);
  AdvanceTo(at);
  EXPECT_EQ(timer.expired, 0);
  AdvanceTo(at + kTick);
  EXPECT_EQ(timer.expired, 1);
  EXPECT_FALSE(timer.set());
}

TEST_F(TimerWheelTest, UnsetTimersDoNotExpire) {
  TestTimer timer;
  wheel.Set(timer, clock + kTick);
  wheel.Unset(timer);
  AdvanceTo(clock + 100 * kTick);
  EXPECT_EQ(timer.expired, 0);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST_F(TimerWheelTest, SettingAgainReplacesTheDeadline) {
  TestTimer timer;
  wheel.Set(timer, clock + 2 * kTick);
  wheel.Set(timer, clock + 50 * kTick);
  AdvanceTo(clock + 10 * kTick);
  EXPECT_EQ(timer.expired, 0);
  EXPECT_EQ(wheel.size(), 1u);
  wheel.Unset(timer);
}

TEST_F(TimerWheelTest, ADeadlineBeyondOneTurnWaitsForItsTurn) {
  TestTimer timer;
  const int64_t at = clock + 2000 * kTick;
  wheel.Set(timer, at);
  for (int i = 0; i < 1999; ++i) AdvanceTo(clock + kTick);
  EXPECT_EQ(timer.expired, 0);
  AdvanceTo(at + kTick);
  EXPECT_EQ(timer.expired, 1);
}

TEST_F(TimerWheelTest, ALoopThatWasAwayLongExpiresEverythingDue) {
  std::vector<std::unique_ptr<TestTimer>> timers;
  for (int i = 0; i < 1000; ++i) {
    timers.push_back(std::make_unique<TestTimer>());
    wheel.Set(*timers.back(), clock + i * kTick);
  }
  AdvanceTo(clock + 100000 * kTick);
  for (const auto& timer : timers) EXPECT_EQ(timer->expired, 1);
}

// What a deadline ends may take other deadlines with it.
TEST_F(TimerWheelTest, AHandlerMayUnsetItsNeighbours) {
  TestTimer first;
  TestTimer second;
  wheel.Set(first, clock + kTick);
  wheel.Set(second, clock + kTick);
  first.then = [&] { wheel.Unset(second); };
  second.then = [&] { wheel.Unset(first); };
  AdvanceTo(clock + 10 * kTick);
  EXPECT_EQ(first.expired + second.expired, 1);
  EXPECT_EQ(wheel.size(), 0u);
}

// On the loop's own time: the wheel sleeps until the first of them, also when
// that one was set last.
TEST_F(TimerWheelTest, WakesUpByItselfForTheFirst) {
  Loop live;
  TestTimer late;
  TestTimer early;
  live.wheel().Set(late, live.now() + 1000 * kTick);
  live.wheel().Set(early, live.now() + kTick);
  early.then = [&] { live.io().stop(); };
  live.io().run();
  EXPECT_EQ(early.expired, 1);
  EXPECT_EQ(late.expired, 0);
  live.wheel().Unset(late);
}

TEST_F(TimerWheelTest, ALoopThatGoesForgetsItsTimers) {
  TestTimer timer;
  {
    Loop gone;
    gone.wheel().Set(timer, gone.now() + kTick);
  }
  EXPECT_FALSE(timer.set());
}

TEST_F(TimerWheelTest, AgreesWithASortedList) {
  std::mt19937 random(7);
  std::vector<std::unique_ptr<TestTimer>> timers(500);
  std::vector<int64_t> due(500);
  for (size_t i = 0; i < timers.size(); ++i) {
    timers[i] = std::make_unique<TestTimer>();
    due[i] = clock + static_cast<int64_t>(random() % 3000) * kTick / 2;
    wheel.Set(*timers[i], due[i]);
  }
  for (int step = 0; step < 800; ++step) {
    AdvanceTo(clock + static_cast<int64_t>(random() % 4) * kTick);
    for (size_t i = 0; i < timers.size(); ++i) {
      if (due[i] >= clock) {
        EXPECT_EQ(timers[i]->expired, 0);
      } else if (due[i] + kTick < clock) {
        EXPECT_EQ(timers[i]->expired, 1);
      }
    }
  }
  for (const auto& timer : timers) wheel.Unset(*timer);
}

}  // namespace
}  // namespace bandit::http2
