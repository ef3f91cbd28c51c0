// SPDX-License-Identifier: Apache-2.0
#include "stats/clusters.h"

#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/stats/estimates.h"

namespace bandit::stats {
namespace {

// growthbook packages/stats/gbstats/utils.py variance_of_ratios, computed with
// numpy.
TEST(RatioOfTest, MatchesTheDeltaMethod) {
  const std::vector<double> x = {3, 0, 5, 2, 1, 4, 0, 6};
  const std::vector<double> y = {10, 4, 12, 9, 5, 11, 3, 14};
  CrossMoments units;
  CrossMoments about{.origin_x = 2, .origin_y = 9};
  for (size_t i = 0; i < x.size(); ++i) {
    units.Add(x[i], y[i]);
    about.Add(x[i], y[i]);
  }
  for (const CrossMoments& m : {units, about}) {
    const MeanEstimate r = RatioOf(m);
    EXPECT_EQ(r.validity, Validity::kValid);
    EXPECT_NEAR(r.mean, 0.3088235294117647, 1e-12);
    EXPECT_NEAR(r.variance * 8, 0.016103734390153373, 1e-12);
    EXPECT_NEAR(std::sqrt(r.variance), 0.044866098546331966, 1e-12);
    EXPECT_EQ(r.dof, 7);
  }
}

TEST(RatioOfTest, TellsWhatIsMissing) {
  CrossMoments m;
  EXPECT_EQ(RatioOf(m).validity, Validity::kTooFew);
  m.Add(1, 2);
  EXPECT_EQ(RatioOf(m).validity, Validity::kTooFew);
  EXPECT_EQ(RatioOf(m).mean, 0.5);
  m.Add(2, 4);
  m.Add(0.3, 0.6);
  EXPECT_EQ(RatioOf(m).validity, Validity::kNoVariance);
  m.Add(1e200, 3);
  EXPECT_EQ(RatioOf(m).validity, Validity::kInvalid);
  CrossMoments zero;
  zero.Add(1, 0);
  zero.Add(2, 0);
  EXPECT_EQ(RatioOf(zero).validity, Validity::kZeroBaseline);
}

// Each bucket its own request count, one of them empty. statsmodels 0.15: OLS
// on a constant, cov_type "cluster" with its small-sample factor, over the
// fourteen values that these sums are of.
const std::vector<BucketSums> kControl = {{2, 7}, {1, 1}, {2, 11},
                                          {0, 0}, {1, 2}, {1, 0.5}};
const std::vector<BucketSums> kTreatment = {{0, 0}, {1, 2}, {1, 7},
                                            {2, 6}, {1, 9}, {2, 2.5}};

TEST(MeanOfBucketsTest, MatchesStatsmodelsClusteredErrors) {
  const MeanEstimate c = MeanOfBuckets(kControl);
  EXPECT_NEAR(c.mean, 3.071428571428571, 1e-12);
  EXPECT_NEAR(c.variance, 0.9279987505206162, 1e-12);
  EXPECT_EQ(c.dof, 4);
  EXPECT_EQ(c.count, 5);
  const MeanEstimate t = MeanOfBuckets(kTreatment);
  EXPECT_NEAR(t.mean, 3.7857142857142856, 1e-12);
  EXPECT_NEAR(t.variance, 1.7576009995835065, 1e-12);
}

// The same over both arms with a treatment indicator; its variance without the
// factor, times 6 / 5.
TEST(PairOfBucketsTest, MatchesStatsmodelsClusteredErrors) {
  const Estimate e = Difference(PairOfBuckets(kControl, kTreatment), {});
  EXPECT_NEAR(e.value, 0.7142857142857137, 1e-12);
  EXPECT_NEAR(e.standard_error * e.standard_error, 1.2672219908371487, 1e-12);
  EXPECT_EQ(e.dof, 5);
}

TEST(MeanOfBucketsTest, TheOriginMovesTheMeanOnly) {
  std::vector<BucketSums> about = kControl;
  for (BucketSums& b : about) b.sum -= 100 * b.count;
  const MeanEstimate plain = MeanOfBuckets(kControl);
  const MeanEstimate moved = MeanOfBuckets(about, 100);
  EXPECT_NEAR(moved.mean, plain.mean, 1e-12);
  EXPECT_NEAR(moved.variance, plain.variance, 1e-12);
}

TEST(MeanOfBucketsTest, TellsWhatIsMissing) {
  EXPECT_EQ(MeanOfBuckets({}).validity, Validity::kTooFew);
  const std::vector<BucketSums> one = {{0, 0}, {3, 6}, {0, 0}};
  EXPECT_EQ(MeanOfBuckets(one).validity, Validity::kTooFew);
  EXPECT_EQ(MeanOfBuckets(one).mean, 2);
  const std::vector<BucketSums> equal = {{1, 0.1}, {3, 0.1 * 3}, {7, 0.1 * 7}};
  EXPECT_EQ(MeanOfBuckets(equal).validity, Validity::kNoVariance);
  const std::vector<BucketSums> overflown = {{1, 1e308}, {1, 1e308}};
  EXPECT_EQ(MeanOfBuckets(overflown).validity, Validity::kInvalid);
  ExpectNoResult(Difference(PairOfBuckets(one, {{1, 1}, {1, 2}, {1, 3}}), {}),
                 Validity::kTooFew, 0);
}

// Every unit a bucket of its own and one value each: the classic variance.
TEST(MeanOfBucketsTest, OneValueABucketIsTheSampleMean) {
  std::vector<BucketSums> buckets;
  Moments m;
  for (int i = 0; i < 30; ++i) {
    const double v = std::sin(i);
    buckets.push_back({1, v});
    m.Add(v);
  }
  EXPECT_NEAR(MeanOfBuckets(buckets).variance, MeanOf(m).variance, 1e-15);
  EXPECT_EQ(MeanOfBuckets(buckets).dof, MeanOf(m).dof);
}

}  // namespace
}  // namespace bandit::stats
