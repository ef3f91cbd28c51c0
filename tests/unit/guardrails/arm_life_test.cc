// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/arm_life.h"

#include "gtest/gtest.h"
#include "tests/unit/guardrails/rules.h"

namespace bandit::guardrails {
namespace {

constexpr Probation kProbation{.base_ejection = absl::Minutes(1),
                               .max_ejection = absl::Minutes(10),
                               .share = 0.05,
                               .duration = absl::Seconds(30),
                               .requests = 100};

TEST(BackOffTest, DoublesUpToItsMost) {
  EXPECT_EQ(BackOff(kProbation, 0), absl::Minutes(1));
  EXPECT_EQ(BackOff(kProbation, 1), absl::Minutes(2));
  EXPECT_EQ(BackOff(kProbation, 3), absl::Minutes(8));
  EXPECT_EQ(BackOff(kProbation, 4), absl::Minutes(10));
  EXPECT_EQ(BackOff(kProbation, 4'000'000'000), absl::Minutes(10));
}

TEST(ArmLifeTest, GoesOutOnProbationAndBack) {
  ArmLife life;
  EXPECT_EQ(life.state(), ArmState::kActive);
  life.Eject(kProbation, "rule", "why", kStart);
  EXPECT_EQ(life.record().until, kStart + absl::Minutes(1));
  EXPECT_EQ(life.record().rule, "rule");
  EXPECT_FALSE(life.Advance(kProbation, 0, kStart + absl::Seconds(59)));
  EXPECT_TRUE(life.Advance(kProbation, 0, kStart + absl::Seconds(60)));
  EXPECT_EQ(life.state(), ArmState::kProbation);
  EXPECT_FALSE(life.Advance(kProbation, 500, kStart + absl::Seconds(89)));
  EXPECT_TRUE(life.Advance(kProbation, 0, kStart + absl::Seconds(90)));
  EXPECT_EQ(life.state(), ArmState::kActive);
}

// Time alone does not bring it back.
TEST(ArmLifeTest, StaysOnProbationWithoutTraffic) {
  ArmLife life;
  life.Eject(kProbation, "rule", "why", kStart);
  life.Advance(kProbation, 0, kStart + absl::Minutes(1));
  EXPECT_FALSE(life.Advance(kProbation, 99, kStart + absl::Hours(9)));
  EXPECT_TRUE(life.Advance(kProbation, 1, kStart + absl::Hours(9)));
}

// What finished before does not count as well on probation.
TEST(ArmLifeTest, CountsRequestsOfTheProbationOnly) {
  ArmLife life;
  life.Eject(kProbation, "rule", "why", kStart);
  life.Advance(kProbation, 1000, kStart + absl::Minutes(1));
  EXPECT_EQ(life.record().requests, 0);
}

TEST(ArmLifeTest, StaysOutLongerEachTime) {
  ArmLife life;
  absl::Time now = kStart;
  for (const int minutes : {1, 2, 4, 8, 10, 10}) {
    life.Eject(kProbation, "rule", "why", now);
    EXPECT_EQ(life.record().until - now, absl::Minutes(minutes));
    now = life.record().until;
    EXPECT_TRUE(life.Advance(kProbation, 0, now));
  }
}

TEST(ArmLifeTest, BeginsAnewWhenItWasWellForLong) {
  ArmLife life;
  life.Eject(kProbation, "rule", "why", kStart);
  absl::Time now = kStart + absl::Minutes(1);
  life.Advance(kProbation, 0, now);
  now += absl::Minutes(1);
  life.Advance(kProbation, 100, now);
  ASSERT_EQ(life.state(), ArmState::kActive);
  life.Advance(kProbation, 100, now + absl::Minutes(9));
  EXPECT_EQ(life.record().ejections, 1);
  life.Advance(kProbation, 100, now + absl::Minutes(10));
  EXPECT_EQ(life.record().ejections, 0);
}

TEST(ArmLifeTest, StandsStillWhenTimeRunsBackwards) {
  ArmLife life;
  life.Eject(kProbation, "rule", "why", kStart);
  EXPECT_FALSE(life.Advance(kProbation, 0, kStart - absl::Hours(1)));
  EXPECT_EQ(life.state(), ArmState::kEjected);
}

}  // namespace
}  // namespace bandit::guardrails
