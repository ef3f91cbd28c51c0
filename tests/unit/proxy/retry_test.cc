// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/retry.h"

#include <gtest/gtest.h>

#include <vector>

namespace bandit::proxy {
namespace {

using Next = Tries::Next;

constexpr experiment::Retry kRule = {
    .attempts = 3, .budget = 0.2, .min_retries = 3};

class TriesTest : public ::testing::Test {
 protected:
  ~TriesTest() override { tries.End(); }

  experiment::Retry rule = kRule;
  RetryBudget budget;
  Tries tries;
};

TEST_F(TriesTest, WithoutARuleOnlyWhatWasNeverWrittenGoesAgainAndOnce) {
  for (const Failure failure :
       {Failure::kNoConnection, Failure::kCircuitOpen, Failure::kRefused,
        Failure::kUnavailable, Failure::kBroken, Failure::kTimeout,
        Failure::kReset}) {
    EXPECT_EQ(tries.After(failure).next, Next::kGiveUp);
  }
  EXPECT_EQ(tries.repeated(), 0u);
  EXPECT_EQ(tries.After(Failure::kUnsent).next, Next::kAtOnce);
  EXPECT_EQ(tries.After(Failure::kUnsent).next, Next::kGiveUp);
  EXPECT_EQ(tries.repeated(), 1u);
  EXPECT_FALSE(tries.may_repeat());
}

TEST_F(TriesTest, ARequestIsSentAttemptsTimes) {
  tries.Begin(&rule, &budget);
  EXPECT_TRUE(tries.may_repeat());
  EXPECT_EQ(tries.After(Failure::kUnavailable).next, Next::kAfterBackoff);
  EXPECT_TRUE(tries.may_repeat());
  EXPECT_EQ(tries.After(Failure::kRefused).next, Next::kAtOnce);
  EXPECT_FALSE(tries.may_repeat());
  EXPECT_EQ(tries.After(Failure::kRefused).next, Next::kGiveUp);
}

// It reached nobody, so it is neither an attempt nor a burden.
TEST_F(TriesTest, TheFirstThatWasNeverWrittenIsFree) {
  rule.min_retries = 0;
  tries.Begin(&rule, &budget);
  EXPECT_EQ(tries.After(Failure::kUnsent).next, Next::kAtOnce);
  const Tries::Step second = tries.After(Failure::kUnsent);
  EXPECT_EQ(second.next, Next::kGiveUp);
  EXPECT_TRUE(second.denied);
}

TEST_F(TriesTest, WhatTheBackendMadeOfTheRequestIsNotKnownAfterAReset) {
  tries.Begin(&rule, &budget);
  EXPECT_EQ(tries.After(Failure::kReset).next, Next::kGiveUp);
}

TEST_F(TriesTest, TheLastTryGoesToAnotherArm) {
  rule.fallback = true;
  tries.Begin(&rule, &budget);
  EXPECT_FALSE(tries.After(Failure::kTimeout).other_arm);
  const Tries::Step last = tries.After(Failure::kTimeout);
  EXPECT_TRUE(last.other_arm);
  EXPECT_EQ(last.next, Next::kAtOnce);
  EXPECT_EQ(tries.After(Failure::kTimeout).next, Next::kGiveUp);
}

// The backend would only say the same again.
TEST_F(TriesTest, WithoutAPlaceTheOtherArmIsNextAndLast) {
  rule.fallback = true;
  rule.attempts = 10;
  for (const Failure failure :
       {Failure::kNoConnection, Failure::kCircuitOpen}) {
    Tries one;
    one.Begin(&rule, &budget);
    EXPECT_TRUE(one.After(failure).other_arm);
    EXPECT_FALSE(one.may_repeat());
    one.End();
  }
}

TEST_F(TriesTest, AnOpenCircuitIsNotTriedAgain) {
  tries.Begin(&rule, &budget);
  EXPECT_EQ(tries.After(Failure::kCircuitOpen).next, Next::kGiveUp);
}

TEST(RetryBudgetTest, AFewRetriesAreAlwaysAllowed) {
  RetryBudget budget;
  budget.Enter();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.Take(kRule));
  EXPECT_FALSE(budget.Take(kRule));
  budget.GiveBack();
  EXPECT_TRUE(budget.Take(kRule));
}

TEST(RetryBudgetTest, BeyondThatAShareOfTheRequestsUnderWay) {
  RetryBudget budget;
  for (int i = 0; i < 100; ++i) budget.Enter();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(budget.Take(kRule));
  EXPECT_FALSE(budget.Take(kRule));
  for (int i = 0; i < 50; ++i) budget.Leave();
  for (int i = 0; i < 10; ++i) budget.GiveBack();
  EXPECT_FALSE(budget.Take(kRule));
  budget.GiveBack();
  EXPECT_TRUE(budget.Take(kRule));
}

TEST(RetryBudgetTest, ARequestThatEndsGivesItsPlaceBack) {
  RetryBudget budget;
  const experiment::Retry one = {.attempts = 5, .min_retries = 1};
  Tries first, second;
  first.Begin(&one, &budget);
  second.Begin(&one, &budget);
  EXPECT_EQ(first.After(Failure::kRefused).next, Next::kAtOnce);
  // It holds one place however often it is tried.
  EXPECT_EQ(first.After(Failure::kRefused).next, Next::kAtOnce);
  EXPECT_TRUE(second.After(Failure::kRefused).denied);
  first.End();
  EXPECT_EQ(second.After(Failure::kRefused).next, Next::kAtOnce);
  second.End();
}

TEST(RetryBackoffTest, DoublesUpToATenthOfASecondAndJitters) {
  EXPECT_EQ(RetryBackoffNs(1, 0), 10'000'000);
  EXPECT_EQ(RetryBackoffNs(2, 0), 20'000'000);
  EXPECT_EQ(RetryBackoffNs(4, 0), 80'000'000);
  EXPECT_EQ(RetryBackoffNs(5, 0), 100'000'000);
  EXPECT_EQ(RetryBackoffNs(1000, 0), 100'000'000);
  for (const uint64_t random : {uint64_t{1}, uint64_t{1} << 40, ~uint64_t{0}}) {
    const int64_t ns = RetryBackoffNs(3, random);
    EXPECT_GT(ns, 20'000'000);
    EXPECT_LE(ns, 40'000'000);
  }
}

}  // namespace
}  // namespace bandit::proxy
