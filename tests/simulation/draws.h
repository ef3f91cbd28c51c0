// SPDX-License-Identifier: Apache-2.0
// Seeded units of made-up experiments, and how often something was said of
// them.
#ifndef BANDIT_TESTS_SIMULATION_DRAWS_H_
#define BANDIT_TESTS_SIMULATION_DRAWS_H_

#include <cmath>
#include <cstdio>
#include <numbers>

#include "stats/moments.h"
#include "stats/proportions.h"
#include "tests/simulation/environment.h"

namespace bandit::stats {

using policies::Uniform;

// Standard normal (Box, Muller 1958).
inline double DrawNormal(Uniform& uniform) {
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

// Mean 1.
inline double DrawExponential(Uniform& uniform) {
  return -std::log1p(-uniform());
}

inline Successes DrawSuccesses(Uniform& uniform, int trials, double p) {
  Successes arm{.trials = static_cast<double>(trials)};
  for (int i = 0; i < trials; ++i) arm.successes += uniform() < p ? 1 : 0;
  return arm;
}

template <typename Draw>
Moments DrawMoments(int units, Draw draw) {
  Moments moments;
  for (int i = 0; i < units; ++i) moments.Add(draw());
  return moments;
}

// The share of runs in which something was said.
class Share {
 public:
  void Count(bool said) {
    ++runs_;
    said_ += said;
  }
  double value() const { return static_cast<double>(said_) / runs_; }
  // Shown with `ctest -V`.
  double Print(const char* what) const {
    std::printf("%-58s %.4f\n", what, value());
    return value();
  }

 private:
  int runs_ = 0;
  int said_ = 0;
};

// A sanitized build takes fewer runs: it looks for other faults.
#if defined(__SANITIZE_ADDRESS__) || defined(BANDIT_TSAN)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
inline constexpr int kRuns = kSanitized ? 4000 : 20000;

// Three standard errors of a share p over kRuns: 0.005 for 0.05 and for 0.95.
inline double Slack(double p) { return 3 * std::sqrt(p * (1 - p) / kRuns); }

// For runs that are long in themselves, divided by this.
inline constexpr int kFewer = kSanitized ? 40 : 1;

// Four standard errors of a share p over `runs`.
inline double Error(double p, int runs) {
  return 4 * std::sqrt(p * (1 - p) / runs);
}

// What the share of `runs` that a method is wrong in may be, if it promises at
// most p: p itself, but for the few runs of a sanitized build.
inline double Limit(double p, double runs) {
  return kSanitized ? p + 4 * std::sqrt(p * (1 - p) / runs) : p;
}

}  // namespace bandit::stats

#endif  // BANDIT_TESTS_SIMULATION_DRAWS_H_
