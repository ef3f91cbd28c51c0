// SPDX-License-Identifier: Apache-2.0
// Policies in the loop: decide, draw, reward, learn, in ticks, seeded.
#ifndef BANDIT_TESTS_SIMULATION_ENVIRONMENT_H_
#define BANDIT_TESTS_SIMULATION_ENVIRONMENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "policies/policy.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {

// splitmix64: a uniform draw in [0, 1), the same on every machine, which the
// standard library's distributions are not.
class Uniform {
 public:
  explicit Uniform(uint64_t seed) : state_(seed) {}
  double operator()() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }

 private:
  uint64_t state_;
};

inline size_t DrawArm(absl::Span<const double> p, double u) {
  size_t arm = 0;
  while (arm + 1 < p.size() && u >= p[arm]) u -= p[arm++];
  return arm;
}

// Bernoulli arms.
struct Environment {
  std::vector<double> means;

  size_t arms() const { return means.size(); }
  double best() const;
};

struct Schedule {
  int64_t horizon = 0;
  // The number of decisions until the next update, after t of them.
  std::function<int64_t(int64_t)> tick = [](int64_t) { return 1; };
  // A reward is known this many ticks after its decision.
  int delay = 0;
};

struct Trace {
  // Expected (pseudo-)regret after t decisions, at the requested times.
  std::vector<double> regret;
  // Share of the best arm in the last tenth of the decisions.
  double final_best_share = 0;
};

// One run. `times` ascending, the last one at most the horizon.
Trace Simulate(const Policy& policy, const Environment& environment,
               const Schedule& schedule, absl::Span<const int64_t> times,
               uint64_t seed);

}  // namespace bandit::policies

#endif  // BANDIT_TESTS_SIMULATION_ENVIRONMENT_H_
