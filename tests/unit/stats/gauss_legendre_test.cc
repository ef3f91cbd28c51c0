// SPDX-License-Identifier: Apache-2.0
#include "stats/gauss_legendre.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

TEST(GaussLegendreTest, NodesAndWeightsAreThePublishedOnes) {
  // Abramowitz and Stegun, table 25.4, n = 5.
  const GaussLegendre rule(5);
  EXPECT_THAT(
      rule.nodes(),
      Pointwise(DoubleNear(1e-15), {-0.906179845938664, -0.538469310105683, 0.0,
                                    0.538469310105683, 0.906179845938664}));
  EXPECT_THAT(rule.weights(), Pointwise(DoubleNear(1e-15),
                                        {0.236926885056189, 0.478628670499366,
                                         0.568888888888889, 0.478628670499366,
                                         0.236926885056189}));
}

TEST(GaussLegendreTest, PolynomialsUpToDegree2nMinus1AreExact) {
  for (size_t order : {1, 2, 3, 8, 16, 40}) {
    const GaussLegendre rule(order);
    for (size_t degree = 0; degree < 2 * order; ++degree) {
      const double exact =
          (std::pow(2.0, degree + 1.0) - std::pow(-1.0, degree + 1.0)) /
          (degree + 1.0);
      EXPECT_NEAR(rule.Integrate(-1, 2,
                                 [&](double x) {
                                   return std::pow(x,
                                                   static_cast<double>(degree));
                                 }),
                  exact, 1e-12 * std::pow(2.0, degree + 1.0))
          << order << " " << degree;
    }
  }
}

TEST(GaussLegendreTest, PartialIntegralsFollowTheAntiderivative) {
  const GaussLegendre rule(16);
  for (size_t k = 0; k < rule.order(); ++k) {
    double partial = 0;
    for (size_t l = 0; l < rule.order(); ++l) {
      partial += rule.partial_weight(k, l) * std::exp(rule.nodes()[l]);
    }
    EXPECT_NEAR(partial, std::exp(rule.nodes()[k]) - std::exp(-1), 1e-14);
  }
}

TEST(GaussLegendreTest, APanelMayBeAnywhere) {
  EXPECT_NEAR(
      GaussLegendre(16).Integrate(1e6, 1e6 + 1, [](double x) { return 1 / x; }),
      std::log1p(1e-6), 1e-18);
}

}  // namespace
}  // namespace bandit::stats
