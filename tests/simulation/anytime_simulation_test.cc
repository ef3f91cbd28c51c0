// SPDX-License-Identifier: Apache-2.0
// Error rates of what is looked at again and again under a fixed split, each
// run seeded: the intervals and tests of stats/ that name an alpha keep it.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <vector>

#include "gtest/gtest.h"
#include "stats/asymptotic_sequence.h"
#include "stats/bernoulli_sequence.h"
#include "stats/best_arm.h"
#include "stats/excess.h"
#include "stats/expected_loss.h"
#include "stats/histogram.h"
#include "stats/posterior.h"
#include "stats/quantile_sequence.h"
#include "stats/sequential_srm.h"
#include "tests/simulation/environment.h"

namespace bandit::stats {
namespace {

using policies::Uniform;

#if defined(__SANITIZE_ADDRESS__) || defined(BANDIT_TSAN)
constexpr int kFewer = 40;
#else
constexpr int kFewer = 1;
#endif

// Four standard errors of a share of `runs` at probability p.
double Error(double p, int runs) { return 4 * std::sqrt(p * (1 - p) / runs); }

double Normal(Uniform& uniform) {
  return std::sqrt(-2 * std::log(1 - uniform())) *
         std::cos(2 * std::numbers::pi * uniform());
}

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
  printf("A/A, 20 looks: naive %.4f, sequence %.4f, one-sided %.4f\n", naive,
         two_sided, one_sided);
  EXPECT_GT(naive, 0.15);
  EXPECT_LE(two_sided, 0.05 + Error(0.05, kRuns));
  EXPECT_LE(one_sided, 0.05 + Error(0.05, kRuns));
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
    printf("rate %.2f, 2000 looks: missed %.4f, false excess %.4f\n", rate,
           missed, alarmed);
    EXPECT_LE(missed, 0.05 + (kFewer > 1 ? Error(0.05, kRuns) : 0));
    EXPECT_LE(alarmed, 0.05 + (kFewer > 1 ? Error(0.05, kRuns) : 0));
  }
}

// The daily counts of a three-way split, 30 days of 600 units; then with a
// twentieth of one arm lost.
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
    printf("SRM, slab %.1f, 30 looks: false %.4f, a tenth lost %.4f\n", slab,
           share[0], share[1]);
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
            static_cast<uint64_t>(1e7 * std::exp(0.5 * Normal(uniform))));
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
    printf(
        "p%g: missed %.4f, width at the end %.0f %%, false difference "
        "%.4f\n",
        100 * levels[i].q, missed[i], 100 * width[i], different[i]);
    EXPECT_LE(missed[i], 0.05 + (kFewer > 1 ? Error(0.05, kRuns) : 0));
    EXPECT_LE(different[i], 0.05 + (kFewer > 1 ? Error(0.05, kRuns) : 0));
  }
  // And not by saying nothing: at 4000 values, a tenth or so for the median.
  EXPECT_LT(width[0], 0.15);
}

// An arm and its control, half of the traffic each, looked at every 100
// requests: when, if ever, each rule calls the arm worse.
struct Alarms {
  double rate = 0;  // Shares of runs that ever alarmed.
  double quantile = 0;
  double rate_delay = 0;  // Mean requests to the alarm, of those that did.
  double quantile_delay = 0;
};

Alarms Guard(double error_rate, double slowdown, int runs, uint64_t seed) {
  constexpr SequenceOptions kOptions{.alpha = 0.05, .planned = 500};
  Alarms alarms;
  for (int run = 0; run < runs; ++run) {
    Uniform uniform(seed + run);
    Successes errors[2];
    LogLinearHistogram latency[2];
    double rate_at = 0;
    double quantile_at = 0;
    for (int n = 1; n <= 2500; ++n) {
      const size_t arm = n % 2;
      const double rate = arm == 1 ? error_rate : 0.01;
      errors[arm].trials += 1;
      errors[arm].successes += uniform() < rate ? 1 : 0;
      latency[arm].Record(static_cast<uint64_t>(
          (arm == 1 ? slowdown : 1) * 1e7 * std::exp(0.5 * Normal(uniform))));
      if (n % 100 != 0) continue;
      if (rate_at == 0 &&
          LogRateExcess(errors[1], errors[0], 0, kOptions) >= std::log(20)) {
        rate_at = n;
      }
      if (quantile_at == 0 &&
          LogQuantileExcess(latency[1].Cells(), latency[0].Cells(), 0.95, 1,
                            kOptions) >= std::log(20)) {
        quantile_at = n;
      }
    }
    alarms.rate += rate_at > 0 ? 1 : 0;
    alarms.quantile += quantile_at > 0 ? 1 : 0;
    alarms.rate_delay += rate_at;
    alarms.quantile_delay += quantile_at;
  }
  alarms.rate_delay /= std::max(1.0, alarms.rate);
  alarms.quantile_delay /= std::max(1.0, alarms.quantile);
  alarms.rate /= runs;
  alarms.quantile /= runs;
  return alarms;
}

TEST(AnytimeSimulation, AnArmIsCalledWorseWhenItIs) {
  constexpr int kRuns = 200 / kFewer;
  const Alarms same = Guard(0.01, 1, kRuns, 600);
  const Alarms worse = Guard(0.06, 2, kRuns / 4 + 1, 800);
  printf(
      "alike: errors %.4f, p95 %.4f; 5 points more errors: found %.2f "
      "after %.0f requests; p95 doubled: found %.2f after %.0f\n",
      same.rate, same.quantile, worse.rate, worse.rate_delay, worse.quantile,
      worse.quantile_delay);
  EXPECT_LE(same.rate, 0.05 + (kFewer > 1 ? Error(0.05, kRuns) : 0));
  EXPECT_LE(same.quantile, 0.05 + (kFewer > 1 ? Error(0.05, kRuns) : 0));
  EXPECT_GT(worse.rate, 0.98);
  EXPECT_GT(worse.quantile, 0.98);
}

// With rates drawn from the prior, what is expected is what happens: the loss
// of the chosen arm, and how often the likeliest best arm is the best.
TEST(AnytimeSimulation, ExpectedLossAndProbabilityBestAreCalibrated) {
  constexpr int kRuns = 4000 / kFewer;
  double expected = 0, realized = 0, realized_squares = 0;
  double probable = 0, right = 0;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(40 + run);
    // Beta(2, 1) is the square root of a uniform.
    double rates[3];
    std::vector<BetaPosterior> posteriors;
    for (double& rate : rates) {
      rate = std::sqrt(uniform());
      double successes = 0;
      for (int i = 0; i < 60; ++i) successes += uniform() < rate ? 1 : 0;
      posteriors.push_back({2 + successes, 1 + 60 - successes});
    }
    const std::vector<double> loss = ExpectedLoss(posteriors);
    const std::vector<double> best = ProbabilityBest(posteriors);
    const size_t chosen =
        std::min_element(loss.begin(), loss.end()) - loss.begin();
    const size_t likeliest =
        std::max_element(best.begin(), best.end()) - best.begin();
    const double top = *std::max_element(rates, rates + 3);
    const double lost = top - rates[chosen];
    expected += loss[chosen] / kRuns;
    realized += lost / kRuns;
    realized_squares += lost * lost / kRuns;
    probable += best[likeliest] / kRuns;
    right += rates[likeliest] == top ? 1.0 / kRuns : 0;
  }
  const double error =
      std::sqrt((realized_squares - realized * realized) / kRuns);
  printf("loss expected %.5f, realized %.5f +- %.5f; best %.4f, %.4f\n",
         expected, realized, error, probable, right);
  EXPECT_NEAR(realized, expected, 4 * error);
  EXPECT_NEAR(right, probable, Error(probable, kRuns));
}

}  // namespace
}  // namespace bandit::stats
