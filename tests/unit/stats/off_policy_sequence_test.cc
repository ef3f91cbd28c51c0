// SPDX-License-Identifier: Apache-2.0
#include "stats/off_policy_sequence.h"

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

TEST(OffPolicySequenceTest, MatchesVowpalWabbit) {
  // vowpal_wabbit confidence_sequence_robust_test.cc.
  OffPolicySequence sequence;
  for (int i = 0; i < 200; ++i) {
    sequence.Add(1.1, 1);
    sequence.Add(1.1, 0);
  }
  const Interval bounds = sequence.Bounds(0.05);
  EXPECT_NEAR(bounds.low, 0.4574146652500113, 1e-6);
  EXPECT_NEAR(bounds.high, 0.5423597665906932, 1e-6);
}

TEST(OffPolicySequenceTest, NoDecisionsSayNothing) {
  for (double slack : {0.0, 1.0}) {
    const OffPolicySequence sequence(slack);
    EXPECT_EQ(sequence.Bounds(0.05).low, 0);
    EXPECT_EQ(sequence.Bounds(0.05).high, 1);
    EXPECT_EQ(sequence.estimate(), 0);
    EXPECT_TRUE(sequence.Covers(0, 0.05));
    EXPECT_TRUE(sequence.Covers(1, 0.05));
  }
}

TEST(OffPolicySequenceTest, WithoutSlackDrawnAndOthersAreWeights) {
  OffPolicySequence weights;
  OffPolicySequence arm;
  for (int i = 0; i < 100; ++i) {
    weights.Add(4, i % 2);
    weights.Add(0, 0, 3);
    arm.AddDrawn(0.25, i % 2, 0.9);
    arm.AddOthers(0.25, 0.9, 3);
  }
  EXPECT_NEAR(arm.estimate(), 0.5, 1e-12);
  EXPECT_EQ(arm.Bounds(0.05).low, weights.Bounds(0.05).low);
  EXPECT_EQ(arm.Bounds(0.05).high, weights.Bounds(0.05).high);
}

// An arm with a tenth of the traffic and rewards of 0.8.
OffPolicySequence Rounds(double slack, double prediction, int rounds) {
  OffPolicySequence sequence(slack);
  for (int i = 0; i < rounds; ++i) {
    sequence.AddDrawn(0.1, i % 5 == 0 ? 0 : 1, prediction);
    sequence.AddOthers(0.1, prediction, 9);
  }
  return sequence;
}

TEST(OffPolicySequenceTest, PredictionsChangeNoMeanAndNarrowTheBounds) {
  const OffPolicySequence plain = Rounds(0, 0.8, 1000);
  for (double prediction : {0.0, 0.8, 1.0}) {
    EXPECT_NEAR(Rounds(3, prediction, 1000).estimate(), 0.8, 1e-9);
  }
  const double good = Rounds(3, 0.8, 1000).Bounds(0.05).width();
  EXPECT_LT(good, 0.9 * plain.Bounds(0.05).width());
  EXPECT_TRUE(Rounds(3, 0.8, 1000).Covers(0.8, 0.05));
  // Even an absurd one keeps the guarantee.
  EXPECT_TRUE(Rounds(3, 0, 1000).Covers(0.8, 0.05));
}

TEST(OffPolicySequenceTest, CoversAgreesWithBounds) {
  for (double slack : {0.0, 1.0}) {
    const OffPolicySequence sequence = Rounds(slack, 0.7, 200);
    const Interval bounds = sequence.Bounds(0.05);
    for (double d : {-1e-6, 1e-6}) {
      EXPECT_EQ(sequence.Covers(bounds.low + d, 0.05), d > 0);
      EXPECT_EQ(sequence.Covers(bounds.high + d, 0.05), d < 0);
    }
  }
}

TEST(OffPolicySequenceTest, AnArmThatAlwaysOrNeverPlays) {
  OffPolicySequence always(1);
  OffPolicySequence never(1);
  for (int i = 0; i < 2000; ++i) {
    always.AddDrawn(1, i % 2, 0.5);
    never.AddOthers(0, 0.5);
  }
  EXPECT_NEAR(always.estimate(), 0.5, 1e-12);
  EXPECT_LT(always.Bounds(0.05).width(), 0.12);
  // No weight, no knowledge.
  EXPECT_LT(never.Bounds(0.05).low, 1e-3);
  EXPECT_GT(never.Bounds(0.05).high, 1 - 1e-3);
}

TEST(OffPolicySequenceTest, DifferencesAreBoundedAtHalfTheLevelEach) {
  const OffPolicySequence arm = Rounds(1, 0.8, 1000);
  OffPolicySequence control(1);
  for (int i = 0; i < 1000; ++i) {
    control.AddDrawn(0.9, i % 10 == 0 ? 1 : 0, 0.1);
  }
  const Interval bounds = DifferenceBounds(arm, control, 0.05);
  EXPECT_EQ(bounds.low, arm.Bounds(0.025).low - control.Bounds(0.025).high);
  EXPECT_EQ(bounds.high, arm.Bounds(0.025).high - control.Bounds(0.025).low);
  EXPECT_GT(bounds.low, 0);
  const Interval unknown =
      DifferenceBounds(OffPolicySequence(1), control, 0.05);
  EXPECT_LE(unknown.low, -control.Bounds(0.025).high);
}

TEST(OffPolicySequenceTest, MergedStreamsKnowAsMuchAsOne) {
  OffPolicySequence parts = Rounds(1, 0.7, 500);
  parts.Merge(Rounds(1, 0.7, 500));
  const OffPolicySequence together = Rounds(1, 0.7, 1000);
  EXPECT_EQ(parts.decisions(), together.decisions());
  EXPECT_NEAR(parts.Bounds(0.05).low, together.Bounds(0.05).low, 5e-3);
  EXPECT_NEAR(parts.Bounds(0.05).high, together.Bounds(0.05).high, 5e-3);
}

}  // namespace
}  // namespace bandit::stats
