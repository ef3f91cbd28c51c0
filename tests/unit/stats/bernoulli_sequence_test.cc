// SPDX-License-Identifier: Apache-2.0
#include "stats/bernoulli_sequence.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "stats/mixture.h"

namespace bandit::stats {
namespace {

struct Case {
  double successes, trials, planned, low, high;
};

TEST(BernoulliSequenceTest, IntervalsMatchConfseq) {
  // gostevehoward/confseq test/uniform_boundaries_unittest.cpp.
  for (const Case& c : {Case{700, 1000, 100, 0.651629, 0.745949},
                        {15, 50, 50, 0.129556, 0.511896},
                        {5, 50, 50, 0.013021, 0.269264},
                        {1, 50, 50, 0.0, 0.13489},
                        {100, 200, 1, 0.328923, 0.671076}}) {
    const Interval interval = BernoulliSequence(
        c.successes, c.trials, {.alpha = 0.05, .planned = c.planned});
    EXPECT_NEAR(interval.low, c.low, 2e-6) << c.successes;
    EXPECT_NEAR(interval.high, c.high, 2e-6) << c.successes;
  }
}

TEST(BernoulliSequenceTest, EvidenceMatchesConfseq) {
  // Its beta-binomial mixture of S = 10, V = 100 at g = 0.2, h = 0.8: S is
  // successes - p trials and V = p (1 - p) trials.
  constexpr double kP = 0.2;
  constexpr double kTrials = 625;
  constexpr double kMean = 125;
  const double two = BernoulliConcentration(kTrials, 0.05);
  EXPECT_NEAR(LogBernoulliEvidence(kMean + 10, kTrials, kP, two), -0.6941012,
              1e-7);
  EXPECT_NEAR(LogBernoulliEvidence(kMean + 31.4308, kTrials, kP, two),
              std::log(20), 1e-5);
  const double one = BernoulliConcentration(kTrials, 0.1);
  EXPECT_NEAR(LogBernoulliExcess(kMean + 10, kTrials, kP, one), -0.07134019,
              1e-7);
  EXPECT_NEAR(LogBernoulliExcess(kMean + 28.41238, kTrials, kP, one),
              std::log(20), 1e-5);
}

// E[e] = 1 under the rate itself, summed over every outcome of 30 trials.
TEST(BernoulliSequenceTest, EvidenceIsFairUnderTheHypothesis) {
  for (double p : {0.001, 0.2, 0.9}) {
    const double k = BernoulliConcentration(50, 0.05);
    double two = 0;
    double excess = 0;
    double probability = std::pow(1 - p, 30);
    for (int x = 0; x <= 30; ++x) {
      two += probability * std::exp(LogBernoulliEvidence(x, 30, p, k));
      excess += probability * std::exp(LogBernoulliExcess(x, 30, p, k));
      probability *= p / (1 - p) * (30 - x) / (x + 1);
    }
    EXPECT_NEAR(two, 1, 1e-10) << p;
    EXPECT_NEAR(excess, 1, 1e-10) << p;
  }
}

TEST(BernoulliSequenceTest, EvidenceAtTheEnds) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(LogBernoulliEvidence(0, 10, 0, 5), 0);
  EXPECT_EQ(LogBernoulliEvidence(1, 10, 0, 5), infinity);
  EXPECT_EQ(LogBernoulliEvidence(10, 10, 1, 5), 0);
  EXPECT_EQ(LogBernoulliEvidence(9, 10, 1, 5), infinity);
  EXPECT_NEAR(LogBernoulliEvidence(0, 0, 0.3, 5), 0, 1e-15);
  EXPECT_EQ(LogBernoulliExcess(1, 10, 0, 5), infinity);
  EXPECT_EQ(LogBernoulliExcess(0, 10, 0, 5), 0);
  EXPECT_EQ(LogBernoulliExcess(9, 10, 1, 5), 0);
}

TEST(BernoulliSequenceTest, NoneAndAllSuccessesAreMirrorImages) {
  const SequenceOptions options{.planned = 1000};
  const Interval none = BernoulliSequence(0, 2000, options);
  const Interval all = BernoulliSequence(2000, 2000, options);
  EXPECT_EQ(none.low, 0);
  EXPECT_GT(none.high, 1e-3);
  EXPECT_LT(none.high, 1e-2);
  EXPECT_EQ(all.high, 1);
  EXPECT_NEAR(all.low, 1 - none.high, 1e-12);
}

TEST(BernoulliSequenceTest, RareEventsKeepTheirDigits) {
  const SequenceOptions options{.planned = 1e7};
  const Interval rare = BernoulliSequence(100, 1e8, options);
  EXPECT_GT(rare.low, 4e-7);
  EXPECT_LT(rare.low, 1e-6);
  EXPECT_GT(rare.high, 1e-6);
  EXPECT_LT(rare.high, 2e-6);
}

TEST(BernoulliSequenceTest, NoTrialsSayNothing) {
  const Interval interval = BernoulliSequence(0, 0, {});
  EXPECT_EQ(interval.low, 0);
  EXPECT_EQ(interval.high, 1);
}

// Far below, where the tail of the mixture is no number any more, the evidence
// is what is left of the prior right above p: against the integral
// of the likelihood ratio over the prior, by the midpoint rule.
TEST(BernoulliSequenceTest, ExcessKeepsItsDigitsFarBelow) {
  constexpr double kP = 0.5;
  constexpr double kConcentration = 100;
  for (double trials : {50.0, 2000.0, 20000.0}) {
    double integral = 0;
    double mass = 0;
    constexpr int kSteps = 2000000;
    for (int i = 0; i < kSteps; ++i) {
      const double q = kP + (1 - kP) * (i + 0.5) / kSteps;
      const double log_prior =
          (kConcentration * kP - 1) * std::log(q / kP) +
          (kConcentration * (1 - kP) - 1) * std::log((1 - q) / (1 - kP));
      mass += std::exp(log_prior);
      integral += std::exp(log_prior + trials * std::log((1 - q) / (1 - kP)));
    }
    EXPECT_NEAR(LogBernoulliExcess(0, trials, kP, kConcentration),
                std::log(integral / mass), 1e-4)
        << trials;
  }
}

TEST(BernoulliSequenceTest, ARateBelowTheHypothesisIsNoExcess) {
  const double k = BernoulliConcentration(1e4, 0.1);
  EXPECT_LT(LogBernoulliExcess(50, 1e4, 0.01, k), 0);
  EXPECT_GT(LogBernoulliExcess(200, 1e4, 0.01, k), 20);
}

}  // namespace
}  // namespace bandit::stats
