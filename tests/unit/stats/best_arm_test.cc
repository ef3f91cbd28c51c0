// SPDX-License-Identifier: Apache-2.0
#include "stats/best_arm.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

double Sum(const std::vector<double>& p) {
  return std::accumulate(p.begin(), p.end(), 0.0);
}

struct BetaCase {
  BetaPosterior first, second;
  double second_best;
};

// P(B > A) by the finite sum over B's integer parameter,
//   sum_{i < a_B} B(a_A + i, b_A + b_B) / ((b_B + i) B(1 + i, b_B) B(a_A,
//   b_A)),
// evaluated with mpmath 1.3 at 40 digits.
const BetaCase kBetaCases[] = {
    // beta_bernoulli_prob_best_2: 120 / 1000 against 140 / 1000.
    {{121, 881}, {141, 861}, 0.90787258637022339},
    // A million observations beside two.
    {{300001, 700001}, {2, 2}, 0.78399924400221999},
    {{300001, 700001}, {1, 3}, 0.342999853000105},
    // The long one close to 0 or 1.
    {{999991, 11}, {2, 2}, 3.9599458803841179e-10},
    {{11, 999991}, {1, 3}, 0.99996700046199617},
    // A hundred million beside two.
    {{50000001, 50000001}, {3, 1}, 0.87499999625000011},
    // The prior beside three observations: E[X] of Beta(3, 2).
    {{1, 1}, {3, 2}, 0.6},
};

TEST(ProbabilityBestTest, BetaPairsMatchTheClosedForm) {
  for (const BetaCase& c : kBetaCases) {
    EXPECT_THAT(ProbabilityBest({c.first, c.second}),
                ElementsAre(DoubleNear(1 - c.second_best, 1e-12),
                            DoubleNear(c.second_best, 1e-12)))
        << c.first.a << " " << c.first.b;
  }
}

TEST(ProbabilityBestTest, ThreeBetaArmsMatchScipy) {
  // beta_bernoulli_prob_best_3: scipy 1.10.1 quad, prior (1, 1) and 100, 120,
  // 130 successes of 1000.
  EXPECT_THAT(
      ProbabilityBest({BetaPosterior{101, 901}, BetaPosterior{121, 881},
                       BetaPosterior{131, 871}}),
      Pointwise(DoubleNear(1e-8), {0.007637402209170232, 0.24719516435236283,
                                   0.7451674334384665}));
}

TEST(ProbabilityBestTest, NormalPairsMatchTheClosedForm) {
  const boost::math::normal standard;
  for (double gap : {0.0, 0.3, -2.0, 7.0}) {
    for (double scale : {1e-6, 1e-2, 1.0, 1e6}) {
      const double expected =
          boost::math::cdf(standard, -gap / std::sqrt(1 + scale * scale));
      EXPECT_THAT(ProbabilityBest({NormalPosterior{gap, 1},
                                   NormalPosterior{0, scale * scale}}),
                  ElementsAre(DoubleNear(1 - expected, 1e-12),
                              DoubleNear(expected, 1e-12)))
          << gap << " " << scale;
    }
  }
}

TEST(ProbabilityBestTest, FourNormalArmsOfDifferentScalesMatchMpmath) {
  // mpmath 1.3 quad, 20 digits, broken at whole deviations of every arm.
  EXPECT_THAT(
      ProbabilityBest({NormalPosterior{0, 1}, NormalPosterior{0.5, 1e-6},
                       NormalPosterior{0.4995, 4e-6},
                       NormalPosterior{-3, 900}}),
      Pointwise(DoubleNear(1e-12), {0.17107528929051899, 0.22238268752291383,
                                    0.15559238320740605, 0.45094963997916112}));
}

TEST(ProbabilityBestTest, MovingAndScalingNormalArmsChangesNothing) {
  const std::vector<NormalPosterior> arms = {{0.1, 1}, {0, 4}, {-0.2, 0.25}};
  const std::vector<double> p = ProbabilityBest(arms);
  for (double scale : {1e-9, 1e9}) {
    std::vector<NormalPosterior> moved = arms;
    for (NormalPosterior& arm : moved) {
      arm = {scale * (arm.mean + 1000), scale * scale * arm.variance};
    }
    EXPECT_THAT(ProbabilityBest(moved), Pointwise(DoubleNear(1e-11), p));
  }
}

TEST(ProbabilityBestTest, EqualArmsShareEqually) {
  for (size_t n : {1, 2, 7, 64}) {
    const std::vector<double> share(n, 1.0 / static_cast<double>(n));
    EXPECT_THAT(ProbabilityBest(std::vector<BetaPosterior>(n, {3, 40})),
                Pointwise(DoubleNear(1e-12), share));
    EXPECT_THAT(ProbabilityBest(std::vector<NormalPosterior>(n, {-5, 2})),
                Pointwise(DoubleNear(1e-12), share));
    EXPECT_THAT(ProbabilityBest(std::vector<NormalPosterior>(n, {-5, 0})),
                Pointwise(DoubleNear(1e-12), share));
  }
}

// One of 64 is twice as often drawn: n arms Beta(a, 1) have max ~ Beta(n a, 1),
// and P(i best) = a_i / sum of a exactly.
TEST(ProbabilityBestTest, SixtyFourPowerArmsMatchTheClosedForm) {
  std::vector<BetaPosterior> arms;
  std::vector<double> expected;
  double sum = 0;
  for (int i = 0; i < 64; ++i) {
    arms.push_back({std::pow(1.3, i - 20), 1});
    sum += arms.back().a;
  }
  for (const BetaPosterior& arm : arms) expected.push_back(arm.a / sum);
  EXPECT_THAT(ProbabilityBest(arms), Pointwise(DoubleNear(1e-11), expected));
}

TEST(ProbabilityBestTest, SixtyFourMixedArmsMatchDistributionFunctionsOfBoost) {
  std::mt19937_64 random(7);
  std::vector<BetaPosterior> arms;
  for (int i = 0; i < 64; ++i) {
    const double n = std::exp(std::uniform_real_distribution<>(0, 14)(random));
    const double p = std::uniform_real_distribution<>(0.2, 0.5)(random);
    arms.push_back({1 + n * p, 1 + n * (1 - p)});
  }
  const std::vector<double> p = ProbabilityBest(arms);
  EXPECT_NEAR(Sum(p), 1, 1e-12);
  // The midpoint rule over an arm's own quantiles, for some of the arms.
  for (size_t i = 0; i < arms.size(); i += 13) {
    constexpr int kPoints = 2000;
    double sum = 0;
    const boost::math::beta_distribution<> own(arms[i].a, arms[i].b);
    for (int k = 0; k < kPoints; ++k) {
      const double x = boost::math::quantile(own, (k + 0.5) / kPoints);
      double product = 1;
      for (size_t j = 0; j < arms.size() && product > 1e-12; ++j) {
        if (j == i) continue;
        product *= boost::math::cdf(
            boost::math::beta_distribution<>(arms[j].a, arms[j].b), x);
      }
      sum += product;
    }
    EXPECT_NEAR(p[i], sum / kPoints, 5e-5) << i;
  }
}

TEST(ProbabilityBestTest, SmallPriorsMatchMonteCarlo) {
  // Densities that are infinite at 0 and 1.
  const std::vector<BetaPosterior> arms = {{0.05, 0.05}, {0.3, 0.2}, {2, 3}};
  std::mt19937_64 random(11);
  constexpr int kDraws = 200000;
  std::vector<double> wins(arms.size());
  for (int draw = 0; draw < kDraws; ++draw) {
    // Over the logit as well: the variates themselves round to 0 and 1.
    size_t best = 0;
    double largest = -1e300;
    for (size_t i = 0; i < arms.size(); ++i) {
      // log of a gamma variate with a shape below 1: log g(a + 1) + log(u) / a.
      const auto log_gamma = [&](double shape) {
        const double g = std::gamma_distribution<>(shape + 1)(random);
        const double u = 1 - std::uniform_real_distribution<>()(random);
        return std::log(g) + std::log(u) / shape;
      };
      const double logit = log_gamma(arms[i].a) - log_gamma(arms[i].b);
      if (logit > largest) {
        largest = logit;
        best = i;
      }
    }
    wins[best] += 1.0 / kDraws;
  }
  // Five standard errors of a share: 5 sqrt(1/4 / 200000) = 0.0056.
  EXPECT_THAT(ProbabilityBest(arms), Pointwise(DoubleNear(0.0056), wins));
}

TEST(ProbabilityBestTest, KnownValuesAreOrderedOrShared) {
  EXPECT_THAT(ProbabilityBest({NormalPosterior{1, 0}, NormalPosterior{2, 0},
                               NormalPosterior{2, 0}}),
              ElementsAre(DoubleNear(0, 1e-12), DoubleNear(0.5, 1e-12),
                          DoubleNear(0.5, 1e-12)));
}

TEST(RankBestArmsTest, EveryRowIsTheAnswerWithoutTheArmsBefore) {
  const std::vector<BetaPosterior> arms = {
      {300, 701}, {2, 2}, {320, 681}, {11, 991}, {250, 751}};
  const BestArmRanking ranking = RankBestArms(arms);
  ASSERT_EQ(ranking.order.size(), arms.size());
  for (size_t row = 0; row < arms.size(); ++row) {
    std::vector<BetaPosterior> left;
    for (size_t k = row; k < arms.size(); ++k) {
      left.push_back(arms[ranking.order[k]]);
    }
    const std::vector<double> expected = ProbabilityBest(left);
    for (size_t k = 0; k < arms.size(); ++k) {
      EXPECT_NEAR(ranking.row(row)[ranking.order[k]],
                  k < row ? 0 : expected[k - row], 1e-12);
    }
    EXPECT_EQ(std::max_element(expected.begin(), expected.end()),
              expected.begin());
  }
}

// With the winner gone, the two left would both be 0 / 0 if its row were
// restricted.
TEST(RankBestArmsTest, ArmsThatAreNeverBestAreStillRanked) {
  const BestArmRanking ranking =
      RankBestArms({BetaPosterior{9e5, 1e5}, BetaPosterior{4e5, 6e5},
                    BetaPosterior{5e5, 5e5}});
  EXPECT_THAT(ranking.order, ElementsAre(0, 2, 1));
  EXPECT_THAT(ranking.row(1),
              ElementsAre(0, DoubleNear(0, 1e-12), DoubleNear(1, 1e-12)));
}

TEST(RankBestArmsTest, NoArmsGiveNoRows) {
  EXPECT_TRUE(RankBestArms(absl::Span<const BetaPosterior>()).order.empty());
  EXPECT_TRUE(ProbabilityBest(absl::Span<const NormalPosterior>()).empty());
}

}  // namespace
}  // namespace bandit::stats
