// SPDX-License-Identifier: Apache-2.0
// Planning and checking: sizes give the power they promise, mismatch, many
// tests, segments and trends raise no more alarms than they may.
#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "stats/comparison.h"
#include "stats/distributions.h"
#include "stats/multiple_testing.h"
#include "stats/power.h"
#include "stats/proportions.h"
#include "stats/segments.h"
#include "stats/srm.h"
#include "stats/trend.h"
#include "tests/simulation/draws.h"

namespace bandit::stats {
namespace {

// A little for sizes that were rounded up.
const double kPowerSlack = 0.003 + Slack(0.8);

MeanPair Pair(const Moments& control, const Moments& treatment) {
  return {.control = MeanOf(control), .treatment = MeanOf(treatment)};
}

double PowerOfProportions(double p, double q, int control, int treatment) {
  Share seen;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(1000 + run);
    const Successes c = DrawSuccesses(uniform, control, p);
    const Successes t = DrawSuccesses(uniform, treatment, q);
    seen.Count(ProportionDifference(c, t, {}).p < 0.05);
  }
  return seen.Print("power for proportions, planned 0.8");
}

TEST(DesignSimulation, SizesForProportionsGiveTheirPower) {
  const int even = std::ceil(UnitsForProportions(0.1, 0.14, {}));
  EXPECT_NEAR(PowerOfProportions(0.1, 0.14, even, even), 0.8, kPowerSlack);
  PowerPlan plan;
  plan.treatment_ratio = 0.25;
  const int control = std::ceil(UnitsForProportions(0.3, 0.22, plan));
  EXPECT_NEAR(PowerOfProportions(0.3, 0.22, control, control / 4), 0.8,
              kPowerSlack);
  const double effect = DetectableProportion(0.2, 700, {});
  EXPECT_NEAR(PowerOfProportions(0.2, 0.2 + effect, 700, 700), 0.8,
              kPowerSlack);
}

TEST(DesignSimulation, SizesForMeansGiveTheirPower) {
  const int units = std::ceil(UnitsForMeansByT(4, 2, {}));
  // Small enough for the t test's correction to matter: 17, not 16.
  EXPECT_EQ(units, 17);
  Share seen;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(5000 + run);
    const auto draw = [&](double mean) {
      return DrawMoments(units, [&] { return mean + 2 * DrawNormal(uniform); });
    };
    const Moments control = draw(5);
    seen.Count(Difference(Pair(control, draw(7)), {}).p < 0.05);
  }
  // statsmodels: TTestIndPower().power(1, 17, 0.05).
  EXPECT_NEAR(seen.Print("power of the t test, planned 0.8"),
              0.8070367151472196, Slack(0.8));
}

// The plan takes the error of the lift that is there, the test that of the lift
// it sees: its border is a difference of means that hardly depends on the
// control's, so that what decides is the error of the difference. More power
// than planned, never less; for a lift this large by 3 points.
TEST(DesignSimulation, TheDetectableLiftIsDetected) {
  const double lift = MinimumDetectableLift(10, 25, 200, {});
  Share seen;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(9000 + run);
    const auto draw = [&](double mean) {
      return DrawMoments(200, [&] { return mean + 5 * DrawNormal(uniform); });
    };
    const Moments control = draw(10);
    seen.Count(DeltaLift(Pair(control, draw(10 * (1 + lift))), {}).p < 0.05);
  }
  const double border = MinimumDetectableLift(10, 25, 200, {.power = 0.5});
  const double expected =
      NormalCdf(10 * (lift - border) / std::sqrt(2 * 25.0 / 200));
  EXPECT_GT(expected, 0.8);
  EXPECT_NEAR(seen.Print("power for the lift, planned 0.8"), expected,
              kPowerSlack);
}

std::vector<double> Assign(Uniform& uniform, int units,
                           const std::vector<double>& weights,
                           double lost = 0) {
  std::vector<double> counts(weights.size());
  for (int i = 0; i < units; ++i) {
    const size_t arm = policies::DrawArm(weights, uniform());
    counts[arm] += arm + 1 == counts.size() && uniform() < lost ? 0 : 1;
  }
  return counts;
}

TEST(DesignSimulation, MismatchIsSeenAndSoundSplitsAreLeftAlone) {
  const std::vector<double> weights = {0.5, 0.3, 0.2};
  constexpr int kLossy = kRuns / 10;
  Share at_five;
  Share alarms;
  Share seen;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(13000 + run);
    const RatioCheck sound =
        CheckRatios(Assign(uniform, 2000, weights), weights);
    at_five.Count(sound.p < 0.05);
    alarms.Count(sound.alarm());
    // A tenth of the last arm's units lost before they were counted.
    if (run < kLossy) {
      seen.Count(
          CheckRatios(Assign(uniform, 20000, weights, 0.1), weights).alarm());
    }
  }
  EXPECT_NEAR(at_five.Print("mismatch, sound split, p < 0.05"), 0.05,
              Slack(0.05));
  EXPECT_LE(alarms.Print("mismatch, sound split, alarm"), 0.001 + Slack(0.001));
  // scipy: chi-square of noncentrality 32.65 above its border at 0.001.
  EXPECT_NEAR(seen.Print("mismatch, a tenth of an arm lost, alarm"), 0.9824,
              3 * std::sqrt(0.9824 * 0.0176 / kLossy));
}

// Two arms whose weights move as a bandit's do; expected counts by period. They
// vary with 500 x sum p (1 - p) = 298.75, and chi-square thinks of 362.19: it
// alarms as often as the true statistic exceeds 3.84 x 362.19 / 298.75.
TEST(DesignSimulation, MismatchUnderMovingWeightsIsConservative) {
  Share alarms;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(17000 + run);
    std::vector<double> observed(2);
    std::vector<double> expected(2);
    for (double weight : {0.5, 0.7, 0.9, 0.95}) {
      const std::vector<double> weights = {weight, 1 - weight};
      const std::vector<double> counts = Assign(uniform, 500, weights);
      for (size_t i : {0, 1}) {
        observed[i] += counts[i];
        expected[i] += 500 * weights[i];
      }
    }
    alarms.Count(CheckRatios(observed, expected).p < 0.05);
  }
  EXPECT_NEAR(alarms.Print("mismatch, moving weights, p < 0.05"), 0.0309,
              Slack(0.0309));
}

// p-values of tests of which the first `real` have an effect of three standard
// errors; half of each error is common to all.
std::vector<double> DrawPs(Uniform& uniform, size_t tests, size_t real) {
  std::vector<double> p;
  const double common = DrawNormal(uniform);
  for (size_t i = 0; i < tests; ++i) {
    const double z =
        std::sqrt(0.5) * (common + DrawNormal(uniform)) + (i < real ? 3 : 0);
    p.push_back(2 * NormalCdf(-std::abs(z)));
  }
  return p;
}

TEST(DesignSimulation, AdjustedTestsBoundTheirFalseAlarms) {
  constexpr size_t kTests = 20;
  constexpr size_t kReal = 5;
  Share holm;
  Share unadjusted;
  double false_share[2] = {};
  double found = 0;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(21000 + run);
    const std::vector<double> p = DrawPs(uniform, kTests, kReal);
    const auto any_false = [&](const std::vector<double>& adjusted) {
      return std::any_of(adjusted.begin() + kReal, adjusted.end(),
                         [](double v) { return v <= 0.05; });
    };
    unadjusted.Count(any_false(p));
    holm.Count(any_false(Holm(p)));
    const std::vector<double> fdr[2] = {BenjaminiHochberg(p),
                                        BenjaminiYekutieli(p)};
    for (int k : {0, 1}) {
      double wrong = 0;
      double all = 0;
      for (size_t i = 0; i < kTests; ++i) {
        const bool rejected = fdr[k][i] <= 0.05;
        all += rejected;
        wrong += rejected && i >= kReal;
        found += k == 0 && rejected && i < kReal;
      }
      false_share[k] += all > 0 ? wrong / all / kRuns : 0;
    }
  }
  std::printf("false share, Benjamini-Hochberg %.4f, -Yekutieli %.4f\n",
              false_share[0], false_share[1]);
  EXPECT_GT(unadjusted.Print("twenty tests, any false alarm, unadjusted"), 0.2);
  EXPECT_LE(holm.Print("twenty tests, any false alarm, Holm"),
            0.05 + Slack(0.05));
  // 0.05 x 15 / 20; the shares, between 0 and 1, vary less than a coin of that
  // mean.
  EXPECT_LE(false_share[0], 0.0375 + Slack(0.0375));
  EXPECT_LE(false_share[1], false_share[0]);
  EXPECT_GT(found / (kRuns * kReal), 0.5);
}

std::vector<MeanPair> DrawSegments(Uniform& uniform, double last_effect) {
  std::vector<MeanPair> segments;
  for (int s = 0; s < 5; ++s) {
    const auto draw = [&](double effect) {
      return DrawMoments(
          150, [&] { return DrawExponential(uniform) * (1 + s) + effect; });
    };
    const Moments control = draw(0);
    segments.push_back(Pair(control, draw(s == 4 ? last_effect : 0.3)));
  }
  return segments;
}

TEST(DesignSimulation, SegmentsDifferOnlyWhereTheEffectDoes) {
  Share same;
  Share seen;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(25000 + run);
    same.Count(CompareSegments(DrawSegments(uniform, 0.3), {}).heterogeneity.p <
               0.05);
    seen.Count(CompareSegments(DrawSegments(uniform, -3), {}).heterogeneity.p <
               0.05);
  }
  EXPECT_NEAR(same.Print("segments, one effect for all, p < 0.05"), 0.05,
              Slack(0.05));
  EXPECT_GT(seen.Print("segments, one turned round, p < 0.05"), 0.9);
}

TrendReport DrawTrend(Uniform& uniform, double novelty) {
  std::vector<DayEffect> days;
  for (int day = 0; day < 14; ++day) {
    const double error = 0.02 + 0.01 * uniform();
    const double effect = 0.1 + novelty * std::exp(-day / 4.0);
    days.push_back({static_cast<double>(day),
                    {effect + error * DrawNormal(uniform), error}});
  }
  return TestTrend(days, 6, {});
}

TEST(DesignSimulation, ASteadyEffectIsNoNoveltyAndAFadingOneIs) {
  Share slopes;
  Share contrasts;
  Share steady;
  Share fading;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(29000 + run);
    const TrendReport report = DrawTrend(uniform, 0);
    slopes.Count(report.slope.p < 0.05);
    contrasts.Count(report.contrast.p < 0.05);
    steady.Count(report.trend != Trend::kNone);
    fading.Count(DrawTrend(uniform, 0.15).trend == Trend::kFalling);
  }
  EXPECT_NEAR(slopes.Print("steady effect, slope p < 0.05"), 0.05, Slack(0.05));
  EXPECT_NEAR(contrasts.Print("steady effect, contrast p < 0.05"), 0.05,
              Slack(0.05));
  EXPECT_LE(steady.Print("steady effect, called a trend"), 0.05 + Slack(0.05));
  EXPECT_GT(fading.Print("fading effect, called falling"), 0.9);
}

}  // namespace
}  // namespace bandit::stats
