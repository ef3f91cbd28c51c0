// SPDX-License-Identifier: Apache-2.0
#include "stats/off_policy_sequence.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace bandit::stats {

double OffPolicySequence::Variate(double propensity, double prediction) const {
  // A drawn arm with reward 0 leaves c - c / p = -c (1 - p) / p.
  return slack_ * propensity < prediction * (1 - propensity)
             ? slack_ * propensity / (1 - propensity)
             : prediction;
}

void OffPolicySequence::Add(double weight, double reward, double times) {
  assert(slack_ == 0 && weight >= 0 && 0 <= reward && reward <= 1);
  low_.Add(weight * reward, times);
  high_.Add(weight * (1 - reward), times);
}

void OffPolicySequence::AddDrawn(double propensity, double reward,
                                 double prediction) {
  assert(0 < propensity && propensity <= 1 && 0 <= reward && reward <= 1);
  const auto score = [&](double r, double q) {
    const double c = Variate(propensity, q);
    // Not below 0 by rounding.
    return std::max(0.0, Scale(c + (r - c) / propensity));
  };
  low_.Add(score(reward, prediction));
  high_.Add(score(1 - reward, 1 - prediction));
}

void OffPolicySequence::AddOthers(double propensity, double prediction,
                                  double times) {
  assert(0 <= propensity && propensity <= 1);
  low_.Add(Scale(Variate(propensity, prediction)), times);
  high_.Add(Scale(Variate(propensity, 1 - prediction)), times);
}

void OffPolicySequence::Merge(const OffPolicySequence& other) {
  assert(slack_ == other.slack_);
  low_.Merge(other.low_);
  high_.Merge(other.high_);
}

double OffPolicySequence::estimate() const {
  return decisions() > 0 ? Unscale(low_.mean()) : 0;
}

Interval OffPolicySequence::Bounds(double alpha) const {
  return {std::max(0.0, Unscale(low_.LowerBound(alpha / 2))),
          std::min(1.0, 1 - Unscale(high_.LowerBound(alpha / 2)))};
}

bool OffPolicySequence::Covers(double value, double alpha) const {
  const double threshold = -std::log(alpha / 2);
  return low_.LogEvidence(Scale(value)) < threshold &&
         high_.LogEvidence(Scale(1 - value)) < threshold;
}

Interval DifferenceBounds(const OffPolicySequence& arm,
                          const OffPolicySequence& control, double alpha) {
  const Interval a = arm.Bounds(alpha / 2);
  const Interval c = control.Bounds(alpha / 2);
  return {a.low - c.high, a.high - c.low};
}

}  // namespace bandit::stats
