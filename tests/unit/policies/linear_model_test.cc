// SPDX-License-Identifier: Apache-2.0
#include "policies/linear_model.h"

#include <cmath>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

using Matrix = std::vector<std::vector<double>>;

// Gauss-Jordan with pivoting, the naive way, in long double.
Matrix NaiveInverse(const Matrix& m) {
  const size_t n = m.size();
  std::vector<std::vector<long double>> a(n,
                                          std::vector<long double>(2 * n, 0));
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) a[i][j] = m[i][j];
    a[i][n + i] = 1;
  }
  for (size_t c = 0; c < n; ++c) {
    size_t pivot = c;
    for (size_t i = c; i < n; ++i) {
      if (std::abs(a[i][c]) > std::abs(a[pivot][c])) pivot = i;
    }
    std::swap(a[c], a[pivot]);
    const long double d = a[c][c];
    for (long double& v : a[c]) v /= d;
    for (size_t i = 0; i < n; ++i) {
      if (i == c) continue;
      const long double f = a[i][c];
      for (size_t j = 0; j < 2 * n; ++j) a[i][j] -= f * a[c][j];
    }
  }
  Matrix inverse(n, std::vector<double>(n));
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      inverse[i][j] = static_cast<double>(a[i][n + j]);
    }
  }
  return inverse;
}

// Feature vectors as requests have them: an intercept, numbers, a one-hot.
std::vector<float> RandomFeatures(size_t d, std::mt19937_64& random) {
  std::vector<float> x(d);
  x[0] = 1;
  for (size_t i = 1; i < d; ++i)
    x[i] = std::normal_distribution<float>()(random);
  if (d > 6) {
    std::fill(x.begin() + 4, x.begin() + 7, 0.0f);
    x[4 + random() % 3] = 1;
  }
  return x;
}

struct Sample {
  ArmSums sums;
  Matrix a;  // lambda I + sum x x'.
};

Sample RandomSample(size_t d, int n, double lambda, uint64_t seed) {
  Sample sample{ArmSums(1, d), Matrix(d, std::vector<double>(d))};
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < d; ++i) sample.a[i][i] = lambda;
  for (int k = 0; k < n; ++k) {
    const std::vector<float> x = RandomFeatures(d, random);
    sample.sums.Observe(0, x.back() > 0 ? 1 : 0, x);
    for (size_t i = 0; i < d; ++i) {
      for (size_t j = 0; j < d; ++j) {
        sample.a[i][j] += static_cast<double>(x[i]) * x[j];
      }
    }
  }
  return sample;
}

TEST(InvertRidgeTest, MatchesANaiveInverse) {
  for (size_t d : {1, 2, 3, 8, 33}) {
    const Sample sample = RandomSample(d, 100, 0.5, d);
    const PackedInverse inverse =
        InvertRidge(sample.sums.view()[0].gram(), d, 0.5).value();
    const Matrix naive = NaiveInverse(sample.a);
    for (size_t i = 0; i < d; ++i) {
      for (size_t j = 0; j < d; ++j) {
        EXPECT_NEAR(inverse.at(i, j), naive[i][j], 1e-13) << d;
      }
    }
  }
}

TEST(InvertRidgeTest, WithoutObservationsItIsTheRidge) {
  const PackedInverse inverse =
      InvertRidge(std::vector<double>(6), 3, 4).value();
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) {
      EXPECT_DOUBLE_EQ(inverse.at(i, j), i == j ? 0.25 : 0);
    }
  }
}

// Someone forgot to scale a feature: 1e8 beside 1, and twice the same column.
TEST(InvertRidgeTest, HugeAndCollinearFeaturesStillInvert) {
  ArmSums sums(1, 4);
  for (int i = 0; i < 100; ++i) {
    const float big = 1e8f * static_cast<float>(1 + i % 7);
    const float x[] = {1, big, big, static_cast<float>(i % 2)};
    sums.Observe(0, 1, x);
  }
  const auto inverse = InvertRidge(sums.view()[0].gram(), 4, 1);
  ASSERT_TRUE(inverse.ok()) << inverse.status();
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_GT(inverse->at(i, i), 0);
    EXPECT_LE(inverse->at(i, i), 1.001);
  }
}

TEST(InvertRidgeTest, WhatIsNoGramMatrixIsRefused) {
  for (const std::vector<double>& gram :
       {std::vector<double>{-2, 0, 1}, std::vector<double>{1, 5, 1}}) {
    EXPECT_EQ(InvertRidge(gram, 2, 1).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(AddRankOneTest, ManyUpdatesEqualInvertingAtTheEnd) {
  for (size_t d : {1, 2, 9, 32}) {
    ArmSums sums(1, d);
    PackedInverse updated = InvertRidge(sums.view()[0].gram(), d, 1).value();
    std::mt19937_64 random(d);
    for (int k = 0; k < 500; ++k) {
      const std::vector<float> x = RandomFeatures(d, random);
      sums.Observe(0, 0, x);
      ASSERT_TRUE(AddRankOne(x, &updated));
    }
    const PackedInverse whole =
        InvertRidge(sums.view()[0].gram(), d, 1).value();
    EXPECT_THAT(updated.entries, Pointwise(DoubleNear(1e-12), whole.entries));
  }
}

TEST(AddRankOneTest, MatchesThePublishedStep) {
  // linucb_disjoint_steps, arm 0: I + (1,0)(1,0)' + (1,1)(1,1)' =
  // [[3,1],[1,2]].
  PackedInverse inverse = InvertRidge(std::vector<double>(3), 2, 1).value();
  ASSERT_TRUE(AddRankOne(std::vector<float>{1, 0}, &inverse));
  ASSERT_TRUE(AddRankOne(std::vector<float>{1, 1}, &inverse));
  EXPECT_NEAR(inverse.at(0, 0), 0.4, 1e-12);
  EXPECT_NEAR(inverse.at(0, 1), -0.2, 1e-12);
  EXPECT_NEAR(inverse.at(1, 0), -0.2, 1e-12);
  EXPECT_NEAR(inverse.at(1, 1), 0.6, 1e-12);
}

TEST(AddRankOneTest, SaysWhenTooManyDigitsCancelled) {
  PackedInverse inverse = InvertRidge(std::vector<double>(3), 2, 1).value();
  EXPECT_FALSE(AddRankOne(std::vector<float>{1e6f, 0}, &inverse));
}

TEST(QuadraticFormTest, MatchesANaiveLoop) {
  for (size_t d : {1, 2, 3, 4, 5, 8, 31, 32, 33, 64}) {
    const Sample sample = RandomSample(d, 40, 1, 100 + d);
    const PackedInverse inverse =
        InvertRidge(sample.sums.view()[0].gram(), d, 1).value();
    std::mt19937_64 random(d);
    std::vector<double> x(PackedInverse::Padded(d));
    std::vector<double> product(x.size()), result(x.size());
    for (size_t i = 0; i < d; ++i) {
      x[i] = std::normal_distribution<>()(random);
    }
    double expected = 0;
    for (size_t i = 0; i < d; ++i) {
      for (size_t j = 0; j < d; ++j) product[i] += inverse.at(i, j) * x[j];
      expected += x[i] * product[i];
    }
    EXPECT_NEAR(QuadraticForm(inverse, x), expected, 1e-13 * d);
    Multiply(inverse, x, absl::MakeSpan(result));
    EXPECT_THAT(result, Pointwise(DoubleNear(1e-13), product));
  }
}

TEST(LinUcbScoreTest, MatchesMabWiserWithoutWidth) {
  // linucb_mabwiser_alpha0: fidelity/mabwiser tests/test_linucb.py::
  // test_alpha0_expectations, lambda = 1. Arms 1, 2, 3 are 0, 1, 2 here.
  const float contexts[][5] = {
      {0, 1, 2, 3, 5}, {1, 1, 1, 1, 1}, {0, 0, 1, 0, 0}, {0, 2, 2, 3, 5},
      {1, 3, 1, 1, 1}, {0, 0, 0, 0, 0}, {0, 1, 4, 3, 5}, {0, 1, 2, 4, 5},
      {1, 2, 1, 1, 3}, {0, 2, 1, 0, 0}};
  const size_t decisions[] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 0};
  const double rewards[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1};
  const double expected[2][3] = {
      {-0.018378378378378413, 0.0, 0.9966292134831471},
      {0.14054054054054055, 0.0, 0.43258426966292074}};
  ArmSums sums(3, 5);
  for (size_t i = 0; i < 10; ++i) {
    sums.Observe(decisions[i], rewards[i], contexts[i]);
  }
  for (size_t q = 0; q < 2; ++q) {
    for (size_t i = 0; i < 3; ++i) {
      const ArmStatistics statistics = sums.view()[i];
      const auto inverse = std::make_shared<PackedInverse>(
          InvertRidge(statistics.gram(), 5, 1).value());
      std::vector<double> response(8), x(8);
      std::copy_n(statistics.response().begin(), 5, response.begin());
      std::copy_n(contexts[q], 5, x.begin());
      LinearArm arm{std::vector<double>(8), inverse};
      Multiply(*inverse, response, absl::MakeSpan(arm.theta));
      EXPECT_NEAR(LinUcbScore(arm, x, 0), expected[q][i], 1e-9);
    }
  }
}

}  // namespace
}  // namespace bandit::policies
