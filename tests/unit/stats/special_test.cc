// SPDX-License-Identifier: Apache-2.0
#include "stats/special.h"

#include <cmath>
#include <numbers>

#include "gtest/gtest.h"
#include "stats/distributions.h"

namespace bandit::stats {
namespace {

TEST(SpecialTest, KnownValues) {
  EXPECT_NEAR(LogGamma(0.5), 0.5 * std::log(std::numbers::pi), 1e-14);
  EXPECT_NEAR(LogGamma(11), std::log(3628800), 1e-12);
  EXPECT_NEAR(LogBeta(3, 4), -std::log(60), 1e-13);
  EXPECT_NEAR(Trigamma(1), std::numbers::pi * std::numbers::pi / 6, 1e-14);
  // A gamma variate of shape 1 is exponential.
  EXPECT_NEAR(UpperGamma(1, 3), std::exp(-3), 1e-15);
  EXPECT_NEAR(BetaQuantile(3, 1, 0.2), std::cbrt(0.2), 1e-14);
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-12);
}

// X ~ Beta(1, b): P(X > x) = (1 - x)^b, on either side of where it is no
// number any more.
TEST(SpecialTest, UpperBetaKeepsItsLogarithm) {
  for (double b : {0.5, 30.0, 900.0, 1000.0, 1e5, 1e9}) {
    for (double x : {1e-6, 0.1, 0.5, 0.999}) {
      const double expected = b * std::log1p(-x);
      EXPECT_NEAR(LogUpperBeta(1, b, x), expected,
                  1e-9 * (1 + std::abs(expected)))
          << b << " " << x;
    }
  }
  EXPECT_EQ(UpperBeta(2, 3, -1), 1);
  EXPECT_EQ(UpperBeta(2, 3, 2), 0);
  EXPECT_EQ(LogUpperBeta(2, 3, 0), 0);
  EXPECT_TRUE(std::isinf(LogUpperBeta(2, 3, 1)));
}

// The two ways meet.
TEST(SpecialTest, LogNormalCdfIsSmooth) {
  EXPECT_NEAR(LogNormalCdf(0), -std::numbers::ln2, 1e-15);
  double before = LogNormalCdf(-34);
  double step = LogNormalCdf(-34) - LogNormalCdf(-33.99);
  for (double x = -34.01; x > -38; x -= 0.01) {
    const double value = LogNormalCdf(x);
    // The second difference is that of -x^2 / 2.
    EXPECT_NEAR(value - before, step - 1e-4, 2e-6) << x;
    step = value - before;
    before = value;
  }
  EXPECT_NEAR(LogNormalCdf(-1e4), -5e7 - std::log(1e4) - 0.9189385332046727,
              1e-6);
}

TEST(SpecialTest, BoundaryIsRoundedOutwards) {
  const auto below = [](double x) { return x * x < 2; };
  const double up = Boundary(0, 5, below);
  EXPECT_NEAR(up, std::numbers::sqrt2, 1e-13);
  EXPECT_FALSE(below(up));
  const double down = Boundary(0, -5, below);
  EXPECT_NEAR(down, -std::numbers::sqrt2, 1e-13);
  EXPECT_FALSE(below(down));
  EXPECT_EQ(Boundary(0, 1, below), 1);
}

}  // namespace
}  // namespace bandit::stats
