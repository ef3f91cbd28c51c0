// SPDX-License-Identifier: Apache-2.0
// One experiment as a bandit runs it, seen by whoever analyses it: decisions
// with their propensities, rewards, and looks between ticks.
#ifndef BANDIT_TESTS_SIMULATION_ADAPTIVE_TRIAL_H_
#define BANDIT_TESTS_SIMULATION_ADAPTIVE_TRIAL_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "policies/policy.h"

namespace bandit::policies {

struct TrialPlan {
  // Bernoulli arms; `drift` is added to all means over the whole trial.
  std::vector<double> means;
  double drift = 0;
  int64_t rounds = 2000;
  // Rounds between updates of the policy.
  int64_t tick = 20;
  // Above 0: mixes the uniform distribution in with weight t^-mixing (Liang and
  // Bojinov's MAD), t the tick's first round.
  double mixing = 0;

  double Mean(size_t arm, int64_t t) const {
    return means[arm] +
           drift * static_cast<double>(t) / static_cast<double>(rounds);
  }
};

struct Round {
  size_t arm;
  double reward;
  // Of all arms, those that the draw was made with.
  absl::Span<const double> propensities;
};

class TrialObserver {
 public:
  virtual ~TrialObserver() = default;
  virtual void OnRound(const Round& round) = 0;
  // After every tick; `t` rounds are over.
  virtual void OnLook(int64_t t) = 0;
};

// Determinism: by policy, plan and seed.
void RunTrial(const Policy& policy, const TrialPlan& plan, uint64_t seed,
              TrialObserver& observer);

}  // namespace bandit::policies

#endif  // BANDIT_TESTS_SIMULATION_ADAPTIVE_TRIAL_H_
