// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/power.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

using ::testing::HasSubstr;

// statsmodels 0.13: two-sided z test with the pooled share, 3840.85 an arm.
TEST(PowerTest, ARateNeedsWhatFleissSays) {
  const SampleSize size = PlanSize({.baseline = 0.10, .effect = 0.02});
  EXPECT_EQ(size.fixed, 7682);
  // Looking at any time costs; the sequence is about 1.5 times as wide.
  EXPECT_GT(size.anytime, 1.5 * size.fixed);
  EXPECT_LT(size.anytime, 4 * size.fixed);
}

// statsmodels 0.13: TTestIndPower().solve_power(0.2, power=0.8) = 393.4057.
TEST(PowerTest, AMeanNeedsWhatTheTTestSays) {
  const SampleSize size =
      PlanSize({.baseline = 5, .effect = 0.2, .deviation = 1});
  EXPECT_EQ(size.fixed, 787);
}

TEST(PowerTest, ARelativeEffectIsAFractionOfTheBaseline) {
  EXPECT_EQ(PlanSize({.baseline = 0.10, .effect = 0.2, .relative = true}).fixed,
            PlanSize({.baseline = 0.10, .effect = 0.02}).fixed);
}

TEST(PowerTest, ACovariateSavesRhoSquared) {
  const SampleSize plain = PlanSize({.baseline = 0.10, .effect = 0.02});
  const SampleSize less =
      PlanSize({.baseline = 0.10, .effect = 0.02, .correlation = 0.6});
  EXPECT_NEAR(less.fixed / plain.fixed, 0.64, 0.001);
  EXPECT_NEAR(less.anytime / plain.anytime, 0.64, 0.01);
}

TEST(PowerTest, MoreArmsNeedMoreEach) {
  const SampleSize two = PlanSize({.baseline = 0.10, .effect = 0.02});
  const SampleSize four =
      PlanSize({.baseline = 0.10, .effect = 0.02, .arms = 4});
  EXPECT_GT(four.fixed / 4, two.fixed / 2);
}

TEST(PowerTest, TellsDaysAndWhatToConfigure) {
  const Result result =
      Power({.baseline = 0.10, .effect = 0.02, .per_day = 1000}, false);
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_THAT(result.out,
              HasSubstr("7682 units of all arms, 7.7 days at 1000"));
  EXPECT_THAT(result.out, HasSubstr("report: {alpha: 0.05, planned: "));
}

TEST(PowerTest, SaysWhatMakesNoSense) {
  const PowerOptions wrong[] = {
      {.baseline = 0.9, .effect = 0.2},
      {.baseline = 0.1, .effect = 0},
      {.baseline = 0.1, .effect = 0.1, .deviation = 0},
      {.baseline = 0.1, .effect = 0.1, .alpha = 0},
      {.baseline = 0.1, .effect = 0.1, .power = 0.01},
      {.baseline = 0.1, .effect = 0.1, .arms = 1},
      {.baseline = 0.1, .effect = 0.1, .control_share = 1},
      {.baseline = 0.1, .effect = 0.1, .correlation = 1},
      {.baseline = 0.1, .effect = 0.1, .per_day = 0}};
  for (const PowerOptions& options : wrong) {
    const Result result = Power(options, false);
    EXPECT_EQ(result.code, ExitCode::kInvalid);
    EXPECT_FALSE(result.error.empty());
  }
}

}  // namespace
}  // namespace bandit::cli
