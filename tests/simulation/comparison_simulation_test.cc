// SPDX-License-Identifier: Apache-2.0
// Two arms, one look: false alarms of the tests and coverage of the intervals.
#include <cmath>

#include "gtest/gtest.h"
#include "stats/comparison.h"
#include "stats/proportions.h"
#include "tests/simulation/draws.h"

namespace bandit::stats {
namespace {

MeanPair Pair(const Moments& control, const Moments& treatment) {
  return {.control = MeanOf(control), .treatment = MeanOf(treatment)};
}

// Skewed values and arms of different size.
TEST(ComparisonSimulation, WelchHoldsItsAlphaInAaTests) {
  Share alarms;
  Share below;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(1000 + run);
    const auto draw = [&] { return DrawExponential(uniform); };
    const MeanPair pair = Pair(DrawMoments(200, draw), DrawMoments(300, draw));
    const Estimate e = Difference(pair, {});
    alarms.Count(e.p < 0.05);
    below.Count(e.p < 0.5);
  }
  EXPECT_NEAR(alarms.Print("Welch, A/A, p < 0.05"), 0.05, Slack(0.05));
  EXPECT_NEAR(below.Print("Welch, A/A, p < 0.5"), 0.5, Slack(0.5));
}

// Few units, the smaller arm three times as noisy: where a pooled variance
// fails.
TEST(ComparisonSimulation, WelchCoversUnderUnequalVariances) {
  Share covered;
  Share bounded;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(4000 + run);
    const Moments control =
        DrawMoments(60, [&] { return 10 + 3 * DrawNormal(uniform); });
    const Moments treatment =
        DrawMoments(20, [&] { return 10.5 + 9 * DrawNormal(uniform); });
    const MeanPair pair = Pair(control, treatment);
    covered.Count(Difference(pair, {}).interval.Contains(0.5));
    bounded.Count(
        Difference(pair, {.alternative = Alternative::kGreater}).interval.low <=
        0.5);
  }
  EXPECT_NEAR(covered.Print("Welch, unequal variances, coverage"), 0.95,
              Slack(0.05));
  EXPECT_NEAR(bounded.Print("Welch, one-sided, coverage"), 0.95, Slack(0.05));
}

TEST(ComparisonSimulation, DeltaLiftCovers) {
  Share covered;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(7000 + run);
    const auto draw = [&] { return DrawExponential(uniform); };
    const Moments control = DrawMoments(400, draw);
    const Moments treatment = DrawMoments(400, [&] { return 1.2 * draw(); });
    const LiftEstimate lift = Lift(Pair(control, treatment), {});
    EXPECT_EQ(lift.method, LiftMethod::kDelta);
    covered.Count(lift.estimate.interval.Contains(0.2));
  }
  EXPECT_NEAR(covered.Print("delta-method lift, coverage"), 0.95, Slack(0.05));
}

// A control that is three standard errors from 0: in a seventh of the runs it
// cannot be told from 0, and the interval is the whole line, where Fieller's
// exact set would leave a piece out. All three shares by numpy, four million
// runs of normal means and chi-square variances.
TEST(ComparisonSimulation, FiellerLiftCoversWithAWeakBaseline) {
  Share fieller;
  Share delta;
  Share refused;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(10000 + run);
    const MeanPair pair =
        Pair(DrawMoments(100, [&] { return 0.3 + DrawNormal(uniform); }),
             DrawMoments(100, [&] { return 0.6 + DrawNormal(uniform); }));
    const Estimate e = FiellerLift(pair, {});
    fieller.Count(e.interval.Contains(1));
    refused.Count(e.validity == Validity::kZeroBaseline);
    delta.Count(DeltaLift(pair, {}).interval.Contains(1));
  }
  EXPECT_NEAR(fieller.Print("Fieller's lift, weak baseline, coverage"), 0.9738,
              Slack(0.0262));
  EXPECT_NEAR(refused.Print("Fieller's lift refused"), 0.1527, Slack(0.1527));
  // Why there are two methods.
  EXPECT_NEAR(delta.Print("delta-method lift, weak baseline, coverage"), 0.9204,
              Slack(0.0796));
}

TEST(ComparisonSimulation, ProportionsHoldTheirAlphaInAaTests) {
  Share alarms;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(20000 + run);
    const Successes control = DrawSuccesses(uniform, 800, 0.1);
    const Successes treatment = DrawSuccesses(uniform, 1200, 0.1);
    alarms.Count(ProportionDifference(control, treatment, {}).p < 0.05);
  }
  EXPECT_NEAR(alarms.Print("two proportions, A/A, p < 0.05"), 0.05,
              Slack(0.05));
}

// What is expected is the exact coverage, the binomial probabilities (scipy)
// of all counts summed over a grid of both shares. Score intervals of so few
// successes cover a little more than they say.
TEST(ComparisonSimulation, ScoreIntervalsCoverForRareSuccesses) {
  Share wilson;
  Share newcombe;
  Share wald;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(30000 + run);
    const double p = 0.02 + 0.08 * uniform();
    const double q = 0.02 + 0.08 * uniform();
    const Successes control = DrawSuccesses(uniform, 60, p);
    const Successes treatment = DrawSuccesses(uniform, 90, q);
    wilson.Count(WilsonInterval(control, {}).Contains(p));
    const Estimate e = ProportionDifference(control, treatment, {});
    newcombe.Count(e.interval.Contains(q - p));
    const double reach =
        1.96 * std::sqrt(control.share() * (1 - control.share()) / 60);
    wald.Count(std::abs(control.share() - p) <= reach);
  }
  EXPECT_NEAR(wilson.Print("Wilson, rare successes, coverage"), 0.9561,
              Slack(0.0439));
  EXPECT_NEAR(newcombe.Print("Newcombe, rare successes, coverage"), 0.9652,
              Slack(0.0348));
  // What they are there for.
  EXPECT_NEAR(wald.Print("Wald, rare successes, coverage"), 0.8818,
              Slack(0.1182));
}

TEST(ComparisonSimulation, LogRatioLiftCovers) {
  Share covered;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(40000 + run);
    const Successes control = DrawSuccesses(uniform, 500, 0.10);
    const Successes treatment = DrawSuccesses(uniform, 700, 0.12);
    covered.Count(
        ProportionLift(control, treatment, {}).interval.Contains(0.2));
  }
  EXPECT_NEAR(covered.Print("log-ratio lift, coverage"), 0.95, Slack(0.05));
}

}  // namespace
}  // namespace bandit::stats
