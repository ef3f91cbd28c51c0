// SPDX-License-Identifier: Apache-2.0
// The loop as it runs in the router: models are prepared once a tick, and
// rewards come later than their decisions.
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/simulation/environment.h"

namespace bandit::policies {
namespace {

struct Delay {
  const char* name;
  int64_t decisions_per_tick;
  int ticks;
};

// 5 ticks of 100 decisions, and 20 of them.
const Delay kDelays[] = {
    {"batched", 100, 0}, {"delayed", 100, 5}, {"very delayed", 100, 20}};

TEST(BatchSimulation, LearningPoliciesConvergeWithTicksAndDelays) {
  const Environment environment{{0.2, 0.5, 0.3}};
  for (const PolicyInfo* info : AllPolicies()) {
    if (info->contextual || info->name == "fixed_split") continue;
    Problem problem;
    problem.arms = environment.arms();
    problem.floor = 0.01;
    const auto policy = MakePolicy(info->name, problem, {}).value();
    for (const Delay& delay : kDelays) {
      const Schedule schedule{
          .horizon = 40000,
          .tick = [&](int64_t) { return delay.decisions_per_tick; },
          .delay = delay.ticks};
      double share = 0;
      constexpr int kRuns = 20;
      for (int run = 0; run < kRuns; ++run) {
        share += Simulate(*policy, environment, schedule, {}, 50 + run)
                     .final_best_share /
                 kRuns;
      }
      printf("%s, %s: best arm %.4f of the last tenth\n",
             std::string(info->name).c_str(), delay.name, share);
      // All that a policy gives away for good is the floor and epsilon:
      // epsilon_greedy keeps 0.01 + 0.97 (1 - 0.1 * 2 / 3) = 0.9153, the others
      // 0.98. The error of a share of 20 x 4000 draws is 0.001.
      EXPECT_GT(share, 0.91) << info->name << " " << delay.name;
    }
  }
}

// Under a delay the arm drawn is still drawn with its propensity, so the
// importance-weighted mean of every arm stays unbiased.
TEST(BatchSimulation, ImportanceWeightedMeansAreUnbiased) {
  const Environment environment{{0.2, 0.5, 0.3}};
  Problem problem;
  problem.arms = 3;
  problem.floor = 0.05;
  const auto policy = MakePolicy("thompson", problem, {}).value();
  std::vector<double> estimate(3), squares(3);
  constexpr int kRuns = 200;
  constexpr int kTicks = 40;
  constexpr int kTick = 50;
  for (int run = 0; run < kRuns; ++run) {
    Uniform uniform(9000 + run);
    ArmSums sums(3);
    for (int tick = 0; tick < kTicks; ++tick) {
      const std::vector<double> p = Distribution(*policy, sums);
      for (int i = 0; i < kTick; ++i) {
        const size_t arm = DrawArm(p, uniform());
        sums.Observe(arm, uniform() < environment.means[arm] ? 1 : 0, {},
                     p[arm]);
      }
    }
    for (size_t arm = 0; arm < 3; ++arm) {
      const double ips =
          sums.vector(arm)[StatisticsLayout::kWeightedSum] / (kTicks * kTick);
      estimate[arm] += ips / kRuns;
      squares[arm] += ips * ips / kRuns;
    }
  }
  for (size_t arm = 0; arm < 3; ++arm) {
    const double error =
        std::sqrt((squares[arm] - estimate[arm] * estimate[arm]) / kRuns);
    // Four standard errors: 6e-5 by chance.
    EXPECT_NEAR(estimate[arm], environment.means[arm], 4 * error);
    EXPECT_LT(error, 0.01);
  }
}

}  // namespace
}  // namespace bandit::policies
