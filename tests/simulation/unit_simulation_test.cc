// SPDX-License-Identifier: Apache-2.0
// Users with many requests, and users of whom something is known: what happens
// to tests that respect them, and to one that does not.
#include <vector>

#include "gtest/gtest.h"
#include "stats/clusters.h"
#include "stats/comparison.h"
#include "stats/cuped.h"
#include "tests/simulation/draws.h"

namespace bandit::stats {
namespace {

constexpr size_t kBuckets = 64;

std::vector<BucketSums> Buckets() { return std::vector<BucketSums>(kBuckets); }

// A user: some requests, with a rate of success of the user's own.
struct User {
  size_t bucket;
  int requests;
  double rate;

  explicit User(Uniform& uniform)
      : bucket(static_cast<size_t>(uniform() * kBuckets)),
        requests(1 + static_cast<int>(6 * DrawExponential(uniform))),
        rate(0.1 + 0.8 * uniform()) {}
};

// One arm's requests, counted in three ways.
struct Arm {
  Moments requests;
  CrossMoments users;
  std::vector<BucketSums> buckets = Buckets();

  void Add(const User& user, double successes, int requests_here) {
    users.Add(successes, requests_here);
    buckets[user.bucket].count += requests_here;
    buckets[user.bucket].sum += successes;
    for (int i = 0; i < requests_here; ++i) {
      requests.Add(i < successes ? 1 : 0);
    }
  }
};

double P(const MeanPair& pair) { return Difference(pair, {}).p; }

// Each user in one arm, success per request as the metric, nothing different
// between the arms.
TEST(UnitSimulation, RatiosAndBucketsHoldTheirAlphaWhereRequestsDoNot) {
  Share by_request;
  Share by_user;
  Share by_bucket;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(1000 + run);
    Arm arms[2];
    for (int i = 0; i < 600; ++i) {
      const User user(uniform);
      double successes = 0;
      for (int k = 0; k < user.requests; ++k) {
        successes += uniform() < user.rate ? 1 : 0;
      }
      arms[i % 2].Add(user, successes, user.requests);
    }
    by_request.Count(P({.control = MeanOf(arms[0].requests),
                        .treatment = MeanOf(arms[1].requests)}) < 0.05);
    by_user.Count(P({.control = RatioOf(arms[0].users),
                     .treatment = RatioOf(arms[1].users)}) < 0.05);
    by_bucket.Count(P(PairOfBuckets(arms[0].buckets, arms[1].buckets)) < 0.05);
  }
  EXPECT_GT(by_request.Print("requests as if independent, A/A, p < 0.05"),
            0.15);
  // Buckets of unlike size make the t test a little too sharp: 0.0525 over
  // 100,000 runs, and the ratio's linearization 0.0519.
  EXPECT_NEAR(by_user.Print("ratio of sums over users, A/A, p < 0.05"), 0.05,
              0.002 + Slack(0.05));
  EXPECT_NEAR(by_bucket.Print("hash buckets, A/A, p < 0.05"), 0.05,
              0.0025 + Slack(0.05));
}

// The arm drawn anew for each request: users are in both arms, and what they
// have in common must cancel.
TEST(UnitSimulation, BucketsHoldTheirAlphaWhenUsersMeetBothArms) {
  Share paired;
  Share unpaired;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(5000 + run);
    Arm arms[2];
    for (int i = 0; i < 300; ++i) {
      const User user(uniform);
      double successes[2] = {};
      int requests[2] = {};
      for (int k = 0; k < user.requests; ++k) {
        const int arm = uniform() < 0.5 ? 0 : 1;
        ++requests[arm];
        successes[arm] += uniform() < user.rate ? 1 : 0;
      }
      for (int arm : {0, 1}) {
        arms[arm].Add(user, successes[arm], requests[arm]);
      }
    }
    MeanPair pair = PairOfBuckets(arms[0].buckets, arms[1].buckets);
    paired.Count(P(pair) < 0.05);
    pair.covariance = 0;
    unpaired.Count(P(pair) < 0.05);
  }
  EXPECT_NEAR(paired.Print("hash buckets, users in both arms, p < 0.05"), 0.05,
              0.0025 + Slack(0.05));
  // Without the covariance the test would hardly ever speak.
  EXPECT_LT(unpaired.Print("the same without covariance"), 0.02);
}

// Metric and covariate with correlation 0.8, an effect of 0.1 on a mean of 3.
struct Correlated {
  double x;
  double y;

  Correlated(Uniform& uniform, double effect) {
    x = DrawNormal(uniform);
    y = 3 + 0.8 * x + 0.6 * DrawNormal(uniform) + effect;
    x += 10;
  }
};

TEST(UnitSimulation, CupedCoversAndShrinksTheErrorAsTheCorrelationSays) {
  Share difference;
  Share lift;
  double errors = 0;
  double plain_errors = 0;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(9000 + run);
    CrossMoments arms[2];
    for (int i = 0; i < 500; ++i) {
      const Correlated unit(uniform, i % 2 == 1 ? 0.1 : 0);
      arms[i % 2].Add(unit.x, unit.y);
    }
    const CupedComparison c =
        CompareCuped(arms[0], arms[1], CupedTheta(arms), {});
    difference.Count(c.difference.interval.Contains(0.1));
    lift.Count(c.lift.interval.Contains(0.1 / 3));
    errors += c.difference.standard_error;
    plain_errors += Difference({.control = MeanOf(arms[0].y()),
                                .treatment = MeanOf(arms[1].y())},
                               {})
                        .standard_error;
  }
  EXPECT_NEAR(difference.Print("CUPED difference, coverage"), 0.95,
              Slack(0.05));
  EXPECT_NEAR(lift.Print("CUPED lift, coverage"), 0.95, Slack(0.05));
  // sqrt(1 - 0.8^2).
  EXPECT_NEAR(errors / plain_errors, 0.6, 0.03);
}

// Requests of users with a covariate of the user: buckets and CUPED at once.
TEST(UnitSimulation, CupedOverBucketsHoldsItsAlpha) {
  Share adjusted;
  double errors = 0;
  double plain_errors = 0;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(13000 + run);
    std::vector<BucketSums> y[2] = {Buckets(), Buckets()};
    std::vector<BucketSums> x[2] = {Buckets(), Buckets()};
    CrossMoments requests[2];
    for (int i = 0; i < 600; ++i) {
      const int arm = i % 2;
      const User user(uniform);
      const Correlated known(uniform, 0);
      for (int k = 0; k < user.requests; ++k) {
        const double value = known.y + DrawNormal(uniform);
        requests[arm].Add(known.x, value);
        ++y[arm][user.bucket].count;
        ++x[arm][user.bucket].count;
        y[arm][user.bucket].sum += value;
        x[arm][user.bucket].sum += known.x;
      }
    }
    const double theta = CupedTheta(requests);
    const auto adjust = [&](int arm) {
      return AdjustBuckets(y[arm], x[arm], theta, 10);
    };
    const Estimate e = Difference(PairOfBuckets(adjust(0), adjust(1)), {});
    adjusted.Count(e.p < 0.05);
    errors += e.standard_error;
    plain_errors += Difference(PairOfBuckets(y[0], y[1]), {}).standard_error;
  }
  EXPECT_NEAR(adjusted.Print("CUPED over hash buckets, A/A, p < 0.05"), 0.05,
              0.0025 + Slack(0.05));
  EXPECT_LT(errors, 0.75 * plain_errors);
}

}  // namespace
}  // namespace bandit::stats
