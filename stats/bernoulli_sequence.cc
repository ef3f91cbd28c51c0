// SPDX-License-Identifier: Apache-2.0
#include "stats/bernoulli_sequence.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "stats/mixture.h"
#include "stats/special.h"

namespace bandit::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// A plan for so few trials that no proper mixture is tightest there.
constexpr double kLeastConcentration = 1e-3;

// Whether the trials exclude a rate of exactly 0 or 1.
bool Contradicts(double successes, double trials, double p) {
  return p <= 0 ? successes > 0 : successes < trials;
}

}  // namespace

double BernoulliConcentration(double planned, double alpha) {
  return std::max(BestRho(planned, alpha) - 1, kLeastConcentration);
}

double LogBernoulliEvidence(double successes, double trials, double p,
                            double concentration) {
  assert(0 <= successes && successes <= trials && concentration > 0);
  if (p <= 0 || p >= 1) {
    return Contradicts(successes, trials, p) ? kInfinity : 0;
  }
  const double a = concentration * p;
  const double b = concentration * (1 - p);
  const double failures = trials - successes;
  return LogBeta(a + successes, b + failures) - LogBeta(a, b) -
         successes * std::log(p) - failures * std::log1p(-p);
}

double LogBernoulliExcess(double successes, double trials, double p,
                          double concentration) {
  if (p <= 0 || p >= 1) {
    return p <= 0 && successes > 0 ? kInfinity : 0;
  }
  const double a = concentration * p;
  const double b = concentration * (1 - p);
  return LogBernoulliEvidence(successes, trials, p, concentration) +
         LogUpperBeta(a + successes, b + trials - successes, p) -
         LogUpperBeta(a, b, p);
}

Interval BernoulliSequence(double successes, double trials,
                           const SequenceOptions& options) {
  if (!(trials > 0)) return {0, 1};
  const double k = BernoulliConcentration(options.planned, options.alpha);
  const double threshold = -std::log(options.alpha);
  const auto possible = [&](double p) {
    return LogBernoulliEvidence(successes, trials, p, k) < threshold;
  };
  const double rate = successes / trials;
  return {Boundary(rate, 0, possible), Boundary(rate, 1, possible)};
}

}  // namespace bandit::stats
