// SPDX-License-Identifier: Apache-2.0
#include "stats/excess.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "stats/bernoulli_sequence.h"
#include "stats/histogram.h"
#include "stats/interval.h"

namespace bandit::stats {
namespace {

constexpr SequenceOptions kOptions{.alpha = 0.05, .planned = 2000};

// A tenth of each arm's wealth is never bet.
double OneSided(double successes, double trials, double p) {
  const double k = BernoulliConcentration(kOptions.planned, 0.1);
  const double log_e = LogBernoulliExcess(successes, trials, p, k);
  return log_e > 700 ? log_e + std::log(0.9)
                     : std::log(0.1 + 0.9 * std::exp(log_e));
}

double Evidence(double p, const Successes& arm, const Successes& control,
                double margin) {
  return OneSided(arm.successes, arm.trials, p + margin) +
         OneSided(control.trials - control.successes, control.trials, 1 - p);
}

// By brute force over p, for samples of every size and rate.
TEST(RateExcessTest, IsTheLeastEvidenceOverAllRates) {
  std::mt19937_64 random(5);
  const auto uniform = [&] {
    return std::uniform_real_distribution<>()(random);
  };
  for (int i = 0; i < 150; ++i) {
    const auto trials = [&] {
      const double n = std::floor(std::exp(1 + 8 * uniform()));
      return Successes{std::floor(n * std::pow(uniform(), 3)), n};
    };
    const Successes arm = trials();
    const Successes control = trials();
    const double margin = i % 3 == 0 ? 0.02 : 0;
    double least = Evidence(0, arm, control, margin);
    for (double logit = -14; logit < 14; logit += 0.02) {
      const double p = (1 - margin) / (1 + std::exp(-logit));
      least = std::min(least, Evidence(p, arm, control, margin));
    }
    const double log = LogRateExcess(arm, control, margin, kOptions);
    // Never more than what some rate allows; nor less.
    EXPECT_LE(std::max(0.0, log), std::max(0.0, least) + 1e-6)
        << arm.successes << "/" << arm.trials << " " << control.successes << "/"
        << control.trials;
    EXPECT_NEAR(log, least, 0.02 * (1 + std::abs(least)));
  }
}

TEST(RateExcessTest, FindsTheWorseArmAndOnlyIt) {
  const Successes good{50, 5000};
  const Successes bad{300, 5000};
  EXPECT_GT(LogRateExcess(bad, good, 0, kOptions), 50);
  EXPECT_LE(LogRateExcess(good, bad, 0, kOptions), 0);
  EXPECT_LE(LogRateExcess(good, good, 0, kOptions), 0);
  // Worse, but by less than the margin.
  EXPECT_LE(LogRateExcess(bad, good, 0.06, kOptions), 0);
}

TEST(RateExcessTest, NoTrialsAndCertainRates) {
  EXPECT_NEAR(LogRateExcess({}, {}, 0, kOptions), 0, 1e-12);
  EXPECT_LE(LogRateExcess({10, 10}, {}, 0, kOptions), 1e-5);
  EXPECT_LE(LogRateExcess({}, {0, 10}, 0, kOptions), 1e-5);
  const double certain = LogRateExcess({1000, 1000}, {0, 1000}, 0, kOptions);
  EXPECT_GT(certain, 100);
  EXPECT_TRUE(std::isfinite(certain));
}

LogLinearHistogram Spread(double factor, int n) {
  LogLinearHistogram histogram;
  for (int i = 1; i <= n; ++i) {
    histogram.Record(static_cast<uint64_t>(factor * 1e6 * i / n));
  }
  return histogram;
}

TEST(QuantileExcessTest, FindsTheSlowerArmAndOnlyIt) {
  const auto fast = Spread(1, 2000).Cells();
  const auto slow = Spread(2, 2000).Cells();
  for (double q : {0.5, 0.95, 0.99}) {
    EXPECT_LT(PFromEvidence(LogQuantileExcess(slow, fast, q, 1, kOptions)),
              1e-3);
    EXPECT_LE(LogQuantileExcess(fast, slow, q, 1, kOptions), 0);
    EXPECT_LE(LogQuantileExcess(fast, fast, q, 1, kOptions), 0);
    // Slower, but within the ratio.
    EXPECT_LE(LogQuantileExcess(slow, fast, q, 2.1, kOptions), 0);
    EXPECT_GT(LogQuantileExcess(slow, fast, q, 1.2, kOptions), 3);
  }
}

TEST(QuantileExcessTest, NoValuesAreNoEvidence) {
  const auto values = Spread(1, 1000).Cells();
  EXPECT_LE(LogQuantileExcess({}, {}, 0.9, 1, kOptions), 1e-12);
  EXPECT_LE(LogQuantileExcess({}, values, 0.9, 1, kOptions), 1e-12);
  EXPECT_LE(LogQuantileExcess(values, {}, 0.9, 1, kOptions), 1e-12);
}

// All in one bucket: which is slower cannot be told.
TEST(QuantileExcessTest, ValuesOfOneBucketAreEqual) {
  const HistogramCell cell{.low = 1000, .high = 1010, .count = 1e6};
  EXPECT_LE(LogQuantileExcess({cell}, {cell}, 0.5, 1, kOptions), 0);
  const HistogramCell next{.low = 1011, .high = 1020, .count = 1e6};
  EXPECT_GT(LogQuantileExcess({next}, {cell}, 0.5, 1, kOptions), 100);
}

TEST(QuantileAboveTest, IsTheExcessOfValuesAboveTheLimit) {
  const auto cells = Spread(1, 2000).Cells();
  double above = 0;
  for (const HistogramCell& cell : cells) {
    if (cell.low > 9e5) above += cell.count;
  }
  EXPECT_NEAR(above, 200, 20);
  const double k = BernoulliConcentration(kOptions.planned, 0.1);
  for (double q : {0.5, 0.95, 0.99}) {
    EXPECT_EQ(LogQuantileAbove(cells, q, 9e5, kOptions),
              LogBernoulliExcess(above, 2000, 1 - q, k));
  }
  EXPECT_LT(PFromEvidence(LogQuantileAbove(cells, 0.95, 9e5, kOptions)), 1e-6);
  EXPECT_LE(LogQuantileAbove(cells, 0.5, 9e5, kOptions), 0);
}

// Its own cell may lie below the limit.
TEST(QuantileAboveTest, TheCellOfTheLimitIsGivenTheBenefitOfTheDoubt) {
  const HistogramCell cell{.low = 1000, .high = 1010, .count = 1e6};
  EXPECT_LE(LogQuantileAbove({cell}, 0.5, 1000, kOptions), 0);
  EXPECT_GT(LogQuantileAbove({cell}, 0.5, 999, kOptions), 100);
  EXPECT_EQ(LogQuantileAbove({}, 0.5, 999, kOptions), 0);
}

// confseq uniform_boundaries_unittest.cpp: the one-sided normal mixture at
// s = 10, v = 100, tuned for 100.
TEST(MeanAboveTest, MatchesTheOneSidedMixture) {
  EXPECT_NEAR(LogMeanAbove({.mean = 5.1, .standard_error = 0.1, .n = 100}, 5,
                           {.alpha = 0.05, .planned = 100}),
              -0.06502391, 1e-7);
}

TEST(MeanAboveTest, SaysNothingBeforeItsTime) {
  const double nan = std::nan("");
  for (const ObservedMean& arm :
       {ObservedMean{}, ObservedMean{9, 0.1, 99}, ObservedMean{9, 0, 5000},
        ObservedMean{nan, 0.1, 5000}, ObservedMean{9, nan, 5000}}) {
    EXPECT_EQ(LogMeanAbove(arm, 1, kOptions), 0);
    EXPECT_EQ(LogMeanExcess(arm, {1, 0.1, 5000}, 0, kOptions), 0);
    EXPECT_EQ(LogMeanExcess({9, 0.1, 5000}, arm, 0, kOptions), 0);
  }
  EXPECT_GT(LogMeanAbove({9, 0.1, 99}, 1, kOptions, 50), 100);
}

TEST(MeanAboveTest, NegatedMomentsFindAFall) {
  const Moments low = Moments::Of(1000, 2, 1);
  EXPECT_GT(LogMeanAbove(Observed(low.Negated()), -3, kOptions), 100);
  EXPECT_LE(LogMeanAbove(Observed(low), 3, kOptions), 0);
  EXPECT_EQ(Observed({}).n, 0);
  EXPECT_NEAR(Observed(low).standard_error, std::sqrt(0.001), 1e-15);
}

// By brute force over the common mean.
TEST(MeanExcessTest, IsTheLeastEvidenceOverAllMeans) {
  std::mt19937_64 random(6);
  std::uniform_real_distribution<> uniform;
  // Of one arm's mean above m, a tenth never bet.
  const auto reserved = [](const ObservedMean& arm, double m) {
    const double log_e = LogMeanAbove(arm, m, kOptions);
    return log_e > 700 ? log_e + std::log(0.9)
                       : std::log(0.1 + 0.9 * std::exp(log_e));
  };
  for (int i = 0; i < 100; ++i) {
    const auto draw = [&] {
      return ObservedMean{10 * uniform(random), 0.1 + uniform(random),
                          std::floor(std::exp(5 + 5 * uniform(random)))};
    };
    const ObservedMean arm = draw();
    const ObservedMean control = draw();
    const double margin = i % 3 - 1;
    const ObservedMean below{-control.mean, control.standard_error, control.n};
    double least = std::numeric_limits<double>::infinity();
    for (double m = -15; m < 25; m += 0.01) {
      least = std::min(least, reserved(arm, m + margin) + reserved(below, -m));
    }
    EXPECT_NEAR(LogMeanExcess(arm, control, margin, kOptions), least,
                2e-3 * (1 + std::abs(least)));
  }
}

TEST(MeanExcessTest, FindsTheHigherMeanAndOnlyIt) {
  const ObservedMean low = Observed(Moments::Of(2000, 3, 4));
  const ObservedMean high = Observed(Moments::Of(1000, 4, 4));
  EXPECT_GT(LogMeanExcess(high, low, 0, kOptions), 30);
  EXPECT_LE(LogMeanExcess(low, high, 0, kOptions), 0);
  EXPECT_LE(LogMeanExcess(low, low, 0, kOptions), 0);
  // Higher, but within the margin; or not lower by as much.
  EXPECT_LE(LogMeanExcess(high, low, 1, kOptions), 0);
  EXPECT_GT(LogMeanExcess(low, high, -1.5, kOptions), 5);
}

}  // namespace
}  // namespace bandit::stats
