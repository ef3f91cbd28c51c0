// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/adaptive_trial.h"

#include <algorithm>
#include <cmath>

#include "tests/simulation/environment.h"

namespace bandit::policies {

void RunTrial(const Policy& policy, const TrialPlan& plan, uint64_t seed,
              TrialObserver& observer) {
  const size_t arms = plan.means.size();
  Uniform uniform(seed);
  ArmSums sums(arms);
  for (int64_t t = 0; t < plan.rounds;) {
    std::vector<double> p = Distribution(policy, sums);
    if (plan.mixing > 0) {
      const double share = std::pow(static_cast<double>(t + 1), -plan.mixing);
      for (double& v : p) {
        v = share / static_cast<double>(arms) + (1 - share) * v;
      }
    }
    const int64_t end = std::min(plan.rounds, t + plan.tick);
    for (; t < end; ++t) {
      const size_t arm = DrawArm(p, uniform());
      const double reward = uniform() < plan.Mean(arm, t) ? 1 : 0;
      sums.Observe(arm, reward, {}, p[arm]);
      observer.OnRound({.arm = arm, .reward = reward, .propensities = p});
    }
    observer.OnLook(t);
  }
}

}  // namespace bandit::policies
