// SPDX-License-Identifier: Apache-2.0
#include "stats/distributions.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// All digits here: scipy 1.17 (norm, t, nct, chi2).
TEST(DistributionsTest, MatchScipy) {
  EXPECT_NEAR(NormalCdf(-8), 6.22096057427174e-16, 1e-27);
  EXPECT_NEAR(NormalQuantile(1e-12), -7.034483825301131, 1e-12);
  EXPECT_NEAR(StudentCdf(-3.1, 4.5), 0.015457772336867029, 1e-14);
  EXPECT_NEAR(StudentQuantile(0.01, 2.7), -4.969832049221283, 1e-11);
  EXPECT_NEAR(NoncentralStudentCdf(2.1, 12, 1.7), 0.6279921687492731, 1e-12);
  EXPECT_NEAR(ChiSquareUpper(30, 4), 4.894437128029217e-06, 1e-17);
}

TEST(DistributionsTest, EndsAreInfinitiesNotErrors) {
  EXPECT_EQ(NormalQuantile(0), -kInfinity);
  EXPECT_EQ(NormalQuantile(1), kInfinity);
  EXPECT_EQ(StudentQuantile(0, 3), -kInfinity);
  EXPECT_EQ(StudentQuantile(1, 3), kInfinity);
  EXPECT_EQ(StudentCdf(-kInfinity, 3), 0);
  EXPECT_EQ(StudentCdf(kInfinity, 3), 1);
  EXPECT_EQ(ChiSquareUpper(kInfinity, 3), 0);
  EXPECT_EQ(ChiSquareUpper(0, 3), 1);
}

TEST(DistributionsTest, StudentWithInfiniteFreedomIsTheNormal) {
  EXPECT_EQ(StudentCdf(1.3, kInfinity), NormalCdf(1.3));
  EXPECT_EQ(StudentQuantile(0.2, kInfinity), NormalQuantile(0.2));
  EXPECT_NEAR(StudentQuantile(0.2, 1e9), NormalQuantile(0.2), 1e-8);
}

TEST(DistributionsTest, QuantilesInvertTheDistribution) {
  for (double p : {1e-300, 1e-9, 0.02, 0.5, 0.7, 1 - 1e-9}) {
    EXPECT_NEAR(NormalCdf(NormalQuantile(p)) / p, 1, 1e-10) << p;
  }
  for (double dof : {0.5, 1.0, 7.3, 1e4}) {
    for (double p : {1e-9, 0.02, 0.5, 0.7}) {
      EXPECT_NEAR(StudentCdf(StudentQuantile(p, dof), dof) / p, 1, 1e-9)
          << p << " " << dof;
    }
  }
}

TEST(DistributionsTest, DensityIsTheSlopeOfTheDistribution) {
  for (double x : {-3.0, -0.4, 0.0, 2.2}) {
    EXPECT_NEAR((NormalCdf(x + 1e-5) - NormalCdf(x - 1e-5)) / 2e-5,
                NormalDensity(x), 1e-9);
  }
}

}  // namespace
}  // namespace bandit::stats
