// SPDX-License-Identifier: Apache-2.0
#include "stats/srm.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

// growthbook packages/stats/tests/test_utils.py, TestCheckSrm::
// test_matches_backend_values (9 digits); the further ones by scipy 1.10.
TEST(CheckRatiosTest, MatchesGrowthbook) {
  const RatioCheck even = CheckRatios({1000, 1200}, {0.5, 0.5});
  EXPECT_NEAR(even.chi_square, 18.181818181818183, 1e-10);
  EXPECT_NEAR(even.p, 2.007865612426481e-05, 1e-15);
  EXPECT_TRUE(even.alarm());
  const RatioCheck uneven = CheckRatios({310, 98}, {0.75, 0.25});
  EXPECT_NEAR(uneven.chi_square, 0.20915032679738563, 1e-12);
  EXPECT_NEAR(uneven.p, 0.647434185701797, 1e-12);
  EXPECT_FALSE(uneven.alarm());
  const RatioCheck three = CheckRatios({500, 500, 600}, {0.34, 0.33, 0.33});
  EXPECT_NEAR(three.chi_square, 14.861853832442067, 1e-10);
  EXPECT_NEAR(three.p, 0.0005926379315273186, 1e-14);
  EXPECT_EQ(three.dof, 2);
}

// Of the same place: an arm of weight 0 is left out of the degrees of freedom
// too, but its units are told.
TEST(CheckRatiosTest, AnArmOfWeightZeroIsLeftOut) {
  const RatioCheck check = CheckRatios({1000, 1200, 900}, {0.5, 0.5, 0});
  EXPECT_NEAR(check.p, 2.007865612426481e-05, 1e-15);
  EXPECT_EQ(check.dof, 1);
  EXPECT_EQ(check.unexpected, 900);
  const RatioCheck else_fine = CheckRatios({1000, 1000, 1}, {0.5, 0.5, 0});
  EXPECT_NEAR(else_fine.p, 1, 1e-12);
  EXPECT_TRUE(else_fine.alarm());
}

// growthbook packages/stats/gbstats/bayesian/bandits.py, compute_srm: three
// periods of 1000, 2000, 3000 units with 50, 70 and 90 % for the first arm.
TEST(CheckRatiosTest, TakesExpectedCountsOfChangingWeights) {
  const RatioCheck check = CheckRatios({4560, 1440}, {4600, 1400});
  EXPECT_NEAR(check.chi_square, 1.4906832298136645, 1e-10);
  EXPECT_NEAR(check.p, 0.22211048314248621, 1e-12);
}

TEST(CheckRatiosTest, WeightsNeedNotSumToOne) {
  EXPECT_DOUBLE_EQ(CheckRatios({310, 98}, {90, 30}).p,
                   CheckRatios({310, 98}, {0.75, 0.25}).p);
}

TEST(CheckRatiosTest, TooLittleIsNoMismatch) {
  for (const RatioCheck& check :
       {CheckRatios({0, 0}, {0.5, 0.5}), CheckRatios({100}, {1}),
        CheckRatios({}, {}), CheckRatios({100, 0}, {1, 0}),
        CheckRatios({100, 3}, {0, 0})}) {
    EXPECT_EQ(check.validity, Validity::kTooFew);
    EXPECT_EQ(check.p, 1);
  }
}

// At a ramp of 1 %, one unit expected and six seen: chi-square would say
// p = 5e-7, the binomial says 5e-4.
TEST(CheckRatiosTest, FewExpectedUnitsAreNoAlarm) {
  EXPECT_EQ(CheckRatios({94, 6}, {0.99, 0.01}).validity, Validity::kTooFew);
  EXPECT_FALSE(CheckRatios({94, 6}, {0.99, 0.01}).alarm());
  EXPECT_EQ(CheckRatios({494, 6}, {0.99, 0.01}).validity, Validity::kValid);
}

TEST(CheckRatiosTest, NonsenseIsTold) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  for (const RatioCheck& check :
       {CheckRatios({-1, 100}, {0.5, 0.5}), CheckRatios({50, 100}, {-1, 2}),
        CheckRatios({nan, 100}, {0.5, 0.5}),
        CheckRatios({50, 100}, {infinity, 2}),
        CheckRatios({1e308, 1e308}, {0.5, 0.5})}) {
    EXPECT_EQ(check.validity, Validity::kInvalid);
    EXPECT_EQ(check.p, 1);
  }
}

}  // namespace
}  // namespace bandit::stats
