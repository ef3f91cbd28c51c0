// SPDX-License-Identifier: Apache-2.0
#include "stats/sequential_srm.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

using Rows = std::vector<std::vector<double>>;

// The p-value after each row.
std::vector<double> P(const Rows& rows, const SrmPrior& prior = {},
                      const std::vector<double>& shares = {0.5, 0.5}) {
  SequentialSrm srm(shares, prior);
  std::vector<double> p;
  for (const auto& row : rows) {
    srm.Add(row);
    p.push_back(srm.p());
  }
  return p;
}

// The formula of GrowthBook's gbstats/ssrm.py, evaluated with scipy 1.10.
TEST(SequentialSrmTest, MatchesTheReference) {
  EXPECT_EQ(P({{500, 500}})[0], 1);
  EXPECT_NEAR(P({{100, 900}})[0] / 2.3678997548019807e-13, 1, 1e-9);
  const std::vector<double> two = P({{50, 450}, {50, 450}});
  EXPECT_NEAR(two[0], 0.0005018438876534796, 1e-12);
  EXPECT_NEAR(two[1] / 2.3678997548062877e-13, 1, 1e-9);
  const Rows rows = {{500, 600}, {510, 590}, {480, 620}};
  const std::vector<double> spike = P(rows);
  EXPECT_NEAR(spike[0], 0.6714507264848218, 1e-9);
  EXPECT_NEAR(spike[1], 0.292703258014483, 1e-9);
  EXPECT_NEAR(spike[2], 0.024534145582371276, 1e-9);
  const std::vector<double> slab = P(rows, {.slab_weight = 0.1});
  EXPECT_NEAR(slab[0], 0.5893160918128114, 1e-9);
  EXPECT_NEAR(slab[1], 0.18119560830226764, 1e-9);
  EXPECT_NEAR(slab[2], 0.0006076181625577968, 1e-9);
}

TEST(SequentialSrmTest, WithoutASlabOnlyTheTotalsMatter) {
  SequentialSrm srm({1, 2, 1});
  for (const std::vector<double>& row : Rows{{10, 30, 9}, {0, 0, 0}, {5, 1, 4}})
    srm.Add(row);
  EXPECT_NEAR(srm.log_evidence(), LogSrmEvidence({15, 31, 13}, {1, 2, 1}),
              1e-9);
}

TEST(SequentialSrmTest, ThePValueNeverRises) {
  const std::vector<double> p = P({{1000, 3000}, {3000, 1000}, {5000, 5000}});
  EXPECT_LT(p[0], 1e-4);
  EXPECT_EQ(p[1], p[0]);
  EXPECT_EQ(p[2], p[0]);
}

// E[e] = 1 under the split: summed over all outcomes of 40 units.
TEST(SequentialSrmTest, EvidenceIsFairUnderTheSplit) {
  double sum = 0;
  double probability = std::pow(0.7, 40);
  for (int x = 0; x <= 40; ++x) {
    sum +=
        probability * std::exp(LogSrmEvidence({x * 1.0, 40.0 - x}, {3, 7}, 20));
    probability *= 3.0 / 7 * (40 - x) / (x + 1);
  }
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(SequentialSrmTest, ArmsWithoutAShareAreLeftOut) {
  EXPECT_EQ(LogSrmEvidence({1000, 1200, 900}, {1, 1, 0}),
            LogSrmEvidence({1000, 1200}, {0.5, 0.5}));
}

TEST(SequentialSrmTest, LessThanTwoArmsOrNoTrafficIsNoMismatch) {
  EXPECT_EQ(LogSrmEvidence({0, 0}, {1, 1}), 0);
  EXPECT_EQ(LogSrmEvidence({500}, {1}), 0);
  EXPECT_EQ(LogSrmEvidence({500, 3}, {1, 0}), 0);
  EXPECT_EQ(LogSrmEvidence({}, {}), 0);
}

TEST(SequentialSrmTest, AHugeMismatchStaysWithinNumbers) {
  SequentialSrm srm({0.5, 0.5});
  srm.Add({0, 1e9});
  EXPECT_EQ(srm.p(), 1e-300);
  EXPECT_TRUE(std::isfinite(srm.log_evidence()));
}

}  // namespace
}  // namespace bandit::stats
