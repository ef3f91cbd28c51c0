// SPDX-License-Identifier: Apache-2.0
// Error rates of what is looked at again and again under a fixed split, each
// run seeded: the intervals and tests of stats/ that name an alpha keep it.
#include <cmath>
#include <cstdio>
#include <vector>

#include "gtest/gtest.h"
#include "stats/asymptotic_sequence.h"
#include "stats/bernoulli_sequence.h"
#include "stats/comparison.h"
#include "stats/histogram.h"
#include "stats/power.h"
#include "stats/quantile_sequence.h"
#include "stats/sequential_srm.h"
#include "tests/simulation/draws.h"
#include "tests/simulation/environment.h"

namespace bandit::stats {
namespace {

// A/A: two arms of rate 0.3, 20 looks from 400 to 8000 units an arm.
TEST(AnytimeSimulation, PeekingRejectsAsymptoticSequencesNoMoreThanAlpha) {
  constexpr int kRuns = 2000 / kFewer;
  double naive = 0;
  double two_sided = 0;
  double one_sided = 0;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(100 + run);
    double sums[2] = {};
    bool rejected[3] = {};
    for (int n = 1; n <= 8000; ++n) {
      for (double& sum : sums) sum += uniform() < 0.3 ? 1 : 0;
      if (n % 400 != 0) continue;
      const double a = sums[0] / n;
      const double b = sums[1] / n;
      const double error = std::sqrt((a * (1 - a) + b * (1 - b)) / (n - 1));
      const SequenceOptions options{.alpha = 0.05, .planned = 5000};
      rejected[0] |= std::abs(b - a) > 1.96 * error;
      rejected[1] |=
          AsymptoticSequence(b - a, error, 2.0 * n, options).p < 0.05;
      rejected[2] |=
          AsymptoticLowerSequence(b - a, error, 2.0 * n, options).interval.low >
          0;
    }
    naive += rejected[0] ? 1.0 / kRuns : 0;
    two_sided += rejected[1] ? 1.0 / kRuns : 0;
    one_sided += rejected[2] ? 1.0 / kRuns : 0;
  }
  std::printf("A/A, 20 looks: naive %.4f, sequence %.4f, one-sided %.4f\n",
              naive, two_sided, one_sided);
  EXPECT_GT(naive, 0.15);
  EXPECT_LE(two_sided, 0.05 + Error(0.05, kRuns));
  EXPECT_LE(one_sided, 0.05 + Error(0.05, kRuns));
}

// A sequence around the delta method's lift, looked at after every 100 units of
// an arm; the true lift is 0.2. And the chance that it ever leaves 0 out is the
// planned power at least, for a plan with the sequence's own multiplier.
TEST(AnytimeSimulation, SequencesOfALiftCoverAndHaveTheirPlannedPower) {
  constexpr int kRuns = 2000 / kFewer;
  constexpr int kUnits = 1500;
  constexpr double kLift = 0.2;
  const SequenceOptions options{.alpha = 0.05, .planned = 2 * kUnits};
  Share missed;
  Share found;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(60000 + run);
    Moments arms[2];
    bool miss = false;
    bool find = false;
    for (int n = 1; n <= kUnits; ++n) {
      arms[0].Add(DrawExponential(uniform));
      arms[1].Add((1 + kLift) * DrawExponential(uniform));
      if (n % 100 != 0) continue;
      const Estimate lift = DeltaLift(
          {.control = MeanOf(arms[0]), .treatment = MeanOf(arms[1])}, {});
      const AnytimeEstimate anytime =
          AsymptoticSequence(lift.value, lift.standard_error, 2.0 * n, options);
      miss |= !anytime.interval.Contains(kLift);
      find |= anytime.interval.low > 0;
    }
    missed.Count(miss);
    found.Count(find);
  }
  // An exponential's variance is its squared mean.
  const double error = (1 + kLift) * std::sqrt(2.0 / kUnits);
  const double planned =
      Power(kLift, error, AsymptoticMultiplier(2 * kUnits, options));
  std::printf("lift, 15 looks: missed %.4f, power planned %.4f, seen %.4f\n",
              missed.value(), planned, found.value());
  EXPECT_LE(missed.value(), 0.05 + Error(0.05, kRuns));
  EXPECT_GE(found.value(), planned - Error(planned, kRuns));
}

// A look after every trial; a rate so low that normal intervals are useless.
TEST(AnytimeSimulation, BernoulliSequencesHoldAtEveryTrial) {
  constexpr int kRuns = 1000 / kFewer;
  for (double rate : {0.01, 0.4}) {
    double missed = 0;
    double alarmed = 0;
    const double k = BernoulliConcentration(1000, 0.05);
    const double one = BernoulliConcentration(1000, 0.1);
    for (int run = 0; run < kRuns; ++run) {
      Uniform uniform(300 + run);
      double successes = 0;
      bool miss = false;
      bool alarm = false;
      for (int n = 1; n <= 2000; ++n) {
        successes += uniform() < rate ? 1 : 0;
        // Whether BernoulliSequence leaves the rate out.
        miss |= LogBernoulliEvidence(successes, n, rate, k) >= std::log(20);
        alarm |= LogBernoulliExcess(successes, n, rate, one) >= std::log(20);
      }
      missed += miss ? 1.0 / kRuns : 0;
      alarmed += alarm ? 1.0 / kRuns : 0;
    }
    std::printf("rate %.2f, 2000 looks: missed %.4f, false excess %.4f\n", rate,
                missed, alarmed);
    EXPECT_LE(missed, Limit(0.05, kRuns));
    EXPECT_LE(alarmed, Limit(0.05, kRuns));
  }
}

// The daily counts of a three-way split, 30 days of 600 units; then with a
// tenth of one arm lost.
TEST(AnytimeSimulation, SequentialSrmKeepsItsLevelAndFindsLosses) {
  constexpr int kRuns = 1000 / kFewer;
  const std::vector<double> shares = {0.5, 0.3, 0.2};
  for (double slab : {0.0, 0.1}) {
    double share[2] = {};
    for (int run = 0; run < kRuns; ++run) {
      for (int lossy : {0, 1}) {
        Uniform uniform(7000 + run);
        SequentialSrm srm(shares, {.slab_weight = slab});
        for (int day = 0; day < 30; ++day) {
          std::vector<double> counts(3);
          for (int unit = 0; unit < 600; ++unit) {
            const size_t arm = policies::DrawArm(shares, uniform());
            const bool lost = uniform() < 0.1;
            if (!(lossy == 1 && arm == 0 && lost)) counts[arm] += 1;
          }
          srm.Add(counts);
        }
        share[lossy] += srm.p() < 0.001 ? 1.0 / kRuns : 0;
      }
    }
    std::printf("SRM, slab %.1f, 30 looks: false %.4f, a tenth lost %.4f\n",
                slab, share[0], share[1]);
    EXPECT_LE(share[0], 0.003);
    EXPECT_GT(share[1], 0.9);
  }
}

// Log-normal latencies in a histogram, looked at 40 times.
TEST(AnytimeSimulation, QuantileSequencesHold) {
  constexpr int kRuns = 400 / kFewer;
  struct Level {
    double q, normal;  // The normal quantile.
  };
  const Level levels[] = {
      {0.5, 0}, {0.95, 1.6448536269514722}, {0.99, 2.3263478740408408}};
  double missed[3] = {};
  double different[3] = {};
  double width[3] = {};
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(900 + run);
    LogLinearHistogram arms[2];
    bool miss[3] = {};
    bool differ[3] = {};
    for (int n = 1; n <= 4000; ++n) {
      for (LogLinearHistogram& arm : arms) {
        arm.Record(
            static_cast<uint64_t>(1e7 * std::exp(0.5 * DrawNormal(uniform))));
      }
      if (n % 100 != 0) continue;
      const std::vector<HistogramCell> a = arms[0].Cells();
      const std::vector<HistogramCell> b = arms[1].Cells();
      for (int i = 0; i < 3; ++i) {
        const SequenceOptions options{.alpha = 0.05, .planned = 1000};
        const double truth = 1e7 * std::exp(0.5 * levels[i].normal);
        const Interval interval = QuantileSequence(a, levels[i].q, options);
        miss[i] |= !interval.Contains(truth);
        if (n == 4000) width[i] += interval.width() / truth / kRuns;
        // The comparison at every fifth look: it costs more.
        differ[i] |=
            n % 500 == 0 &&
            LogQuantileDifference(a, b, levels[i].q, options) >= std::log(20);
      }
    }
    for (int i = 0; i < 3; ++i) {
      missed[i] += miss[i] ? 1.0 / kRuns : 0;
      different[i] += differ[i] ? 1.0 / kRuns : 0;
    }
  }
  for (int i = 0; i < 3; ++i) {
    std::printf(
        "p%g: missed %.4f, width at the end %.0f %%, false difference "
        "%.4f\n",
        100 * levels[i].q, missed[i], 100 * width[i], different[i]);
    EXPECT_LE(missed[i], Limit(0.05, kRuns));
    EXPECT_LE(different[i], Limit(0.05, kRuns));
  }
  // And not by saying nothing: at 4000 values, a tenth or so for the median.
  EXPECT_LT(width[0], 0.15);
}

}  // namespace
}  // namespace bandit::stats
