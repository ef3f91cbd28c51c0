// SPDX-License-Identifier: Apache-2.0
#include "stats/martingale_srm.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "stats/interval.h"

namespace bandit::stats {
namespace {

// Shares .5/.5 for 1000 decisions, .7/.3 for 2000, .9/.1 for 3000.
std::vector<AssignmentSums> Periods(double first, double second) {
  std::vector<AssignmentSums> arms(2);
  arms[0].Add(0.5, first, 1000);
  arms[0].Add(0.7, 0, 2000);
  arms[0].Add(0.9, 0, 3000);
  arms[1].Add(0.5, second, 1000);
  arms[1].Add(0.3, 0, 2000);
  arms[1].Add(0.1, 0, 3000);
  return arms;
}

TEST(MartingaleSrmTest, SumsAreThoseOfThePeriods) {
  const auto arms = Periods(4560, 1440);
  EXPECT_NEAR(arms[0].expected, 4600, 1e-9);
  EXPECT_NEAR(arms[1].expected, 1400, 1e-9);
  EXPECT_NEAR(arms[0].variance, 940, 1e-9);
  EXPECT_NEAR(arms[1].variance, 940, 1e-9);
}

TEST(MartingaleSrmTest, TwoArmsGiveOneNormalTest) {
  const MartingaleSrm test = TestAssignments(Periods(4560, 1440));
  // -40 over sqrt(1000 * .25 + 2000 * .21 + 3000 * .09).
  EXPECT_NEAR(test.z, -40 / std::sqrt(940), 1e-12);
  EXPECT_EQ(test.worst_arm, 0u);
  EXPECT_NEAR(test.p_fixed, std::erfc(40 / std::sqrt(2 * 940.0)), 1e-12);
  EXPECT_LT(test.log_evidence, 0);
}

TEST(MartingaleSrmTest, MoreArmsShareTheLevel) {
  std::vector<AssignmentSums> arms(3);
  for (AssignmentSums& arm : arms) arm.Add(1.0 / 3, 1000, 3000);
  arms[1].count += 60;
  arms[2].count -= 60;
  const MartingaleSrm test = TestAssignments(arms);
  EXPECT_NEAR(std::abs(test.z), 60 / std::sqrt(3000 * 2.0 / 9), 1e-12);
  EXPECT_NEAR(test.p_fixed, 3 * std::erfc(std::abs(test.z) / std::sqrt(2)),
              1e-12);
}

TEST(MartingaleSrmTest, LostTrafficIsFoundWhateverTheShares) {
  // A seventh of the second arm's exposures is lost: 200 of 1400.
  const MartingaleSrm test = TestAssignments(Periods(4600, 1200));
  EXPECT_EQ(test.worst_arm, 1u);
  EXPECT_NEAR(test.z, -200 / std::sqrt(940), 1e-9);
  EXPECT_LT(PFromEvidence(test.log_evidence), 0.001);
}

TEST(MartingaleSrmTest, NoChoiceIsNoEvidence) {
  EXPECT_EQ(TestAssignments({}).log_evidence, 0);
  std::vector<AssignmentSums> arms(2);
  EXPECT_NEAR(TestAssignments(arms).log_evidence, 0, 1e-9);
  // One arm takes all, as it should.
  arms[0].Add(1, 5000, 5000);
  arms[1].Add(0, 0, 5000);
  const MartingaleSrm test = TestAssignments(arms);
  EXPECT_EQ(test.z, 0);
  EXPECT_EQ(test.p_fixed, 1);
  EXPECT_NEAR(test.log_evidence, 0, 1e-9);
}

TEST(MartingaleSrmTest, AnArmDrawnWithoutAChanceIsCertain) {
  std::vector<AssignmentSums> arms(2);
  arms[0].Add(1, 4999, 5000);
  arms[1].Add(0, 1, 5000);
  const MartingaleSrm test = TestAssignments(arms);
  EXPECT_TRUE(std::isinf(test.z));
  EXPECT_EQ(test.p_fixed, 0);
  EXPECT_EQ(PFromEvidence(test.log_evidence), 1e-300);
}

// E[e] = 1 at most: all outcomes of 60 decisions whose share moves half-way.
TEST(MartingaleSrmTest, EvidenceIsFairUnderTheShares) {
  const auto binomial = [](int n, double p) {
    std::vector<double> mass = {std::pow(1 - p, n)};
    for (int x = 0; x < n; ++x) {
      mass.push_back(mass.back() * p / (1 - p) * (n - x) / (x + 1));
    }
    return mass;
  };
  const auto early = binomial(30, 0.5);
  const auto late = binomial(30, 0.05);
  double sum = 0;
  for (int x = 0; x <= 30; ++x) {
    for (int y = 0; y <= 30; ++y) {
      std::vector<AssignmentSums> arms(2);
      arms[0].Add(0.5, x, 30);
      arms[0].Add(0.05, y, 30);
      arms[1].Add(0.5, 30 - x, 30);
      arms[1].Add(0.95, 30 - y, 30);
      sum +=
          early[x] * late[y] * std::exp(TestAssignments(arms, 10).log_evidence);
    }
  }
  EXPECT_LE(sum, 1 + 1e-9);
  EXPECT_GT(sum, 0.5);
}

}  // namespace
}  // namespace bandit::stats
