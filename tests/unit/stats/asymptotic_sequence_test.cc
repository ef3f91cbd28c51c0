// SPDX-License-Identifier: Apache-2.0
#include "stats/asymptotic_sequence.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

struct Arm {
  double n, sum, squares;
  double mean() const { return sum / n; }
  double mean_variance() const {
    return (squares - sum * sum / n) / (n - 1) / n;
  }
};

// GrowthBook, packages/stats/tests/frequentist/test_tests.py.
constexpr Arm kControl{3000, 1396.87, 52377.9767};
constexpr Arm kTreatment{3461, 2422.7, 134698.29};

TEST(AsymptoticSequenceTest, RelativeLiftMatchesGrowthBook) {
  const double base = kControl.mean();
  const double lift = kTreatment.mean() / base - 1;
  const double error =
      std::sqrt(kTreatment.mean_variance() / (base * base) +
                kControl.mean_variance() * std::pow(kTreatment.mean(), 2) /
                    std::pow(base, 4));
  EXPECT_NEAR(error, 0.33341, 1e-5);
  const SequenceOptions options{.alpha = 0.05, .planned = 1000};
  const AnytimeEstimate result = AsymptoticSequence(lift, error, 6461, options);
  EXPECT_NEAR(result.estimate, 0.50336, 1e-5);
  EXPECT_NEAR(result.interval.low, -0.55844, 1e-5);
  EXPECT_NEAR(result.interval.high, 1.56516, 1e-5);
  EXPECT_EQ(result.p, 1);
  EXPECT_NEAR(AsymptoticMultiplier(6461, options), 3.1846511445605183, 1e-12);
}

TEST(AsymptoticSequenceTest, RelativeLiftOfProportionsMatchesGrowthBook) {
  const double a = 1396.0 / 3000;
  const double b = 2422.0 / 3461;
  const double error = std::sqrt(b * (1 - b) / 3461 / (a * a) +
                                 a * (1 - a) / 3000 * b * b / std::pow(a, 4));
  const AnytimeEstimate result =
      AsymptoticSequence(b / a - 1, error, 6461, {.planned = 5000});
  EXPECT_NEAR(result.estimate, 0.50386, 1e-5);
  EXPECT_NEAR(result.interval.low, 0.40098, 1e-5);
  EXPECT_NEAR(result.interval.high, 0.60675, 1e-5);
  EXPECT_NEAR(result.p / 5.174716682839704e-44, 1, 1e-2);
}

TEST(AsymptoticSequenceTest, OneSidedMatchesGrowthBook) {
  const double error =
      std::sqrt(kTreatment.mean_variance() + kControl.mean_variance());
  const AnytimeEstimate result = AsymptoticLowerSequence(
      kTreatment.mean() - kControl.mean(), error, 6461, {.planned = 5000});
  EXPECT_NEAR(result.estimate, 0.23437666666666668, 1e-12);
  EXPECT_NEAR(result.interval.low, -0.12656844172804982, 1e-9);
  EXPECT_EQ(result.interval.high, std::numeric_limits<double>::infinity());
  // GrowthBook finds it by a search, to four digits or so.
  EXPECT_NEAR(result.p, 0.46316491943359384, 2e-4);
}

TEST(AsymptoticSequenceTest, PAndIntervalAgreeOnZero) {
  for (double estimate : {-0.3, 0.05, 0.09, 0.11, 1.0}) {
    const AnytimeEstimate two =
        AsymptoticSequence(estimate, 0.03, 2000, {.alpha = 0.01});
    EXPECT_EQ(two.p < 0.01, !two.interval.Contains(0)) << estimate;
    const AnytimeEstimate one =
        AsymptoticLowerSequence(estimate, 0.03, 2000, {.alpha = 0.01});
    EXPECT_EQ(one.p<0.01, one.interval.low> 0) << estimate;
  }
}

TEST(AsymptoticSequenceTest, OneSideIsTighterThanTwo) {
  EXPECT_GT(AsymptoticLowerSequence(1, 0.1, 5000, {}).interval.low,
            AsymptoticSequence(1, 0.1, 5000, {}).interval.low);
}

TEST(AsymptoticSequenceTest, NoDataOrNoSpreadIsNoResult) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& [error, n] : {std::pair{0.1, 0.0},
                                 {0.0, 100.0},
                                 {-1.0, 100.0},
                                 {nan, 100.0},
                                 {infinity, 100.0}}) {
    for (const AnytimeEstimate& result :
         {AsymptoticSequence(0.5, error, n, {}),
          AsymptoticLowerSequence(0.5, error, n, {})}) {
      EXPECT_EQ(result.estimate, 0.5);
      EXPECT_EQ(result.interval.low, -infinity);
      EXPECT_EQ(result.interval.high, infinity);
      EXPECT_EQ(result.p, 1);
    }
  }
}

TEST(AsymptoticSequenceTest, OverwhelmingEvidenceStaysAboveZero) {
  EXPECT_EQ(AsymptoticSequence(1e6, 1e-3, 1e9, {}).p, 1e-300);
}

}  // namespace
}  // namespace bandit::stats
