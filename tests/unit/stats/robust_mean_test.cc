// SPDX-License-Identifier: Apache-2.0
#include "stats/robust_mean.h"

#include <cmath>

#include "gtest/gtest.h"

namespace bandit::stats {
namespace {

TEST(RobustMeanTest, NothingIsKnownWithoutObservations) {
  EXPECT_EQ(RobustMean().LowerBound(0.05), 0);
  EXPECT_EQ(RobustMean().mean(), 0);
  EXPECT_LE(RobustMean().LogEvidence(0), 0);
}

TEST(RobustMeanTest, RepetitionsCountAsSingleOnes) {
  // 0, a mean below the prediction, above it, and 1.
  for (double x : {0.0, 0.05, 0.6, 1.0}) {
    for (double times : {1.0, 16.0, 17.0, 5000.0}) {
      RobustMean one;
      RobustMean all;
      for (RobustMean* mean : {&one, &all}) {
        mean->Add(0.2, 10);
        mean->Add(7.5);
      }
      for (int i = 0; i < times; ++i) one.Add(x);
      all.Add(x, times);
      EXPECT_EQ(all.count(), one.count());
      EXPECT_NEAR(all.mean(), one.mean(), 1e-12);
      for (double mean : {0.0, 0.3, 1.0}) {
        EXPECT_NEAR(all.LogEvidence(mean), one.LogEvidence(mean), 1e-8)
            << x << " " << times;
      }
    }
  }
}

TEST(RobustMeanTest, RepetitionsAfterAMeanAboveOneCountAsSingleOnes) {
  RobustMean one;
  RobustMean all;
  for (RobustMean* mean : {&one, &all}) mean->Add(300);
  for (int i = 0; i < 1000; ++i) one.Add(0);
  all.Add(0, 1000);
  EXPECT_NEAR(all.LogEvidence(0.2), one.LogEvidence(0.2), 1e-8);
}

TEST(RobustMeanTest, TheBoundClosesInOnTheMean) {
  double before = 0;
  for (int n : {100, 1000, 10000, 1000000}) {
    RobustMean mean;
    for (int i = 0; i < 10; ++i) {
      // A tenth of the traffic at weight 10, half of it rewarded.
      mean.Add(10, n / 20.0 / 10);
      mean.Add(0, n * 0.95 / 10);
    }
    const double bound = mean.LowerBound(0.025);
    EXPECT_GT(bound, before);
    EXPECT_LT(bound, 0.5);
    before = bound;
  }
  EXPECT_GT(before, 0.49);
}

// One of 20 is what a mean of 1 brings every 20th time, and proves as little;
// one of a million is as good as impossible.
TEST(RobustMeanTest, AnObservationProvesWhatMarkovAllows) {
  RobustMean mean;
  mean.Add(0.5, 100);
  RobustMean large = mean;
  large.Add(20);
  EXPECT_LT(large.LogEvidence(1), 0);
  EXPECT_LT(large.LowerBound(0.025), 0.6);
  RobustMean huge = mean;
  huge.Add(1e6);
  EXPECT_GT(huge.LogEvidence(1), 3);
  EXPECT_LT(huge.LogEvidence(1), std::log(1e6 / 101));
  // Beyond the grid observations are cut off.
  huge = mean;
  huge.Add(1e100);
  EXPECT_TRUE(std::isfinite(huge.LogEvidence(0)));
  EXPECT_LT(huge.LogEvidence(1), std::log(1e8 / 101));
}

TEST(RobustMeanTest, TheEvidenceIsOneOverAlphaAtTheBound) {
  RobustMean mean;
  for (int i = 0; i < 500; ++i) mean.Add(i % 3 == 0 ? 1.5 : 0.1);
  for (double alpha : {0.2, 0.025, 1e-6}) {
    EXPECT_NEAR(mean.LogEvidence(mean.LowerBound(alpha)), -std::log(alpha),
                1e-9);
  }
}

// What contradicts every mean up to 1 gives 1, not a bound outside.
TEST(RobustMeanTest, AMeanAboveOneIsCutOff) {
  RobustMean mean;
  mean.Add(3, 1000);
  EXPECT_EQ(mean.LowerBound(0.05), 1);
}

TEST(RobustMeanTest, MergedStreamsKnowAsMuchAsOne) {
  RobustMean together;
  RobustMean parts[2];
  for (int i = 0; i < 4000; ++i) {
    const double x = i % 10 == 0 ? 5 : (i % 7) / 20.0;
    together.Add(x);
    parts[i % 2].Add(x);
  }
  parts[0].Merge(parts[1]);
  EXPECT_EQ(parts[0].count(), together.count());
  EXPECT_NEAR(parts[0].mean(), together.mean(), 1e-12);
  // All the large ones are in the first part: the predictions differ.
  EXPECT_NEAR(parts[0].LowerBound(0.05), together.LowerBound(0.05), 0.01);
}

}  // namespace
}  // namespace bandit::stats
