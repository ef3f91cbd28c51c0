// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/balancer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace bandit::upstream {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class BalancerTest : public ::testing::Test {
 protected:
  explicit BalancerTest(size_t count = 4) : loads(count) {
    for (Load& load : loads) all.push_back(&load);
  }

  // How often each is chosen of `draws`.
  std::vector<int> Count(Balancer& balancer, int draws, int64_t now = 0,
                         const Load* avoid = nullptr) {
    std::vector<int> counts(loads.size());
    for (int i = 0; i < draws; ++i) {
      ++counts[balancer.Choose(all, avoid, now, random) - loads.data()];
    }
    return counts;
  }

  std::vector<Load> loads;
  std::vector<Load*> all;
  std::mt19937_64 random{7};
};

TEST_F(BalancerTest, LeastRequestNeverTakesTheBusiestOfSeveral) {
  Balancer balancer(Balancing::kLeastRequest, 0);
  loads[2].leases = 5;
  EXPECT_EQ(Count(balancer, 1000)[2], 0);
}

TEST_F(BalancerTest, LeastRequestSpreadsTiesEvenly) {
  Balancer balancer(Balancing::kLeastRequest, 0);
  constexpr int kDraws = 40'000;
  // Five standard deviations of a binomial with p = 1/4.
  const double tolerance = 5 * std::sqrt(kDraws * 0.25 * 0.75);
  for (const int count : Count(balancer, kDraws)) {
    EXPECT_NEAR(count, kDraws / 4, tolerance);
  }
}

TEST_F(BalancerTest, LeastRequestKeepsLoadsWithinALittleOfEachOther) {
  Balancer balancer(Balancing::kLeastRequest, 0);
  for (int i = 0; i < 4000; ++i) {
    ++balancer.Choose(all, nullptr, 0, random)->leases;
  }
  for (const Load& load : loads) {
    EXPECT_NEAR(static_cast<double>(load.leases), 1000, 5);
  }
}

TEST_F(BalancerTest, RoundRobinGoesInTurn) {
  Balancer balancer(Balancing::kRoundRobin, 0);
  loads[1].leases = 100;
  EXPECT_EQ(Count(balancer, 400), std::vector<int>(4, 100));
}

TEST_F(BalancerTest, WhatIsAvoidedIsTakenOnlyIfThereIsNoOther) {
  for (const Balancing kind :
       {Balancing::kLeastRequest, Balancing::kRoundRobin}) {
    Balancer balancer(kind, 0);
    EXPECT_EQ(Count(balancer, 200, 0, &loads[1])[1], 0);
    Load* const one[] = {&loads[1]};
    EXPECT_EQ(balancer.Choose(one, &loads[1], 0, random), &loads[1]);
  }
}

TEST_F(BalancerTest, SlowStartGrowsTheShareToItsFullOne) {
  constexpr int kDraws = 40'000;
  for (const Balancing kind :
       {Balancing::kLeastRequest, Balancing::kRoundRobin}) {
    loads[3].in_since_ns = 100 * kSecond;
    const struct {
      int64_t at;
      double share;  // Of its full one.
    } cases[] = {{100, 0.1}, {105, 0.5}, {109, 0.9}, {110, 1}, {500, 1}};
    for (const auto& c : cases) {
      Balancer balancer(kind, 10 * kSecond);
      // Who waits in turn for the next gets what the slow one leaves.
      const double p = kind == Balancing::kLeastRequest
                           ? c.share / 4
                           : c.share / (3 + c.share);
      EXPECT_NEAR(Count(balancer, kDraws, c.at * kSecond)[3], kDraws * p,
                  5 * std::sqrt(kDraws * p * (1 - p)))
          << c.at;
    }
  }
}

TEST_F(BalancerTest, ALoneEndpointInItsSlowStartTakesAll) {
  Balancer balancer(Balancing::kLeastRequest, 10 * kSecond);
  loads[0].in_since_ns = 100 * kSecond;
  Load* const one[] = {&loads[0]};
  EXPECT_EQ(balancer.Choose(one, nullptr, 100 * kSecond, random), &loads[0]);
}

}  // namespace
}  // namespace bandit::upstream
