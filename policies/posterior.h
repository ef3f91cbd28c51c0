// SPDX-License-Identifier: Apache-2.0
// What is believed of an arm's mean reward, given its statistics.
#ifndef BANDIT_POLICIES_POSTERIOR_H_
#define BANDIT_POLICIES_POSTERIOR_H_

#include <algorithm>

#include "stats/best_arm.h"

namespace bandit::policies {

// Beta(prior_alpha + sum r, prior_beta + sum (1 - r)). Rewards between 0 and 1
// count as the fractions they are; sums beyond [0, count] as its ends.
inline stats::BetaPosterior UpdateBeta(double prior_alpha, double prior_beta,
                                       double count, double sum) {
  sum = std::clamp(sum, 0.0, std::max(0.0, count));
  return {prior_alpha + sum, prior_beta + std::max(0.0, count - sum)};
}

// The conjugate normal update with a reward variance taken as known:
// 1 / v = 1 / prior_variance + count / reward_variance and
// m = v (prior_mean / prior_variance + count mean / reward_variance).
// A reward variance of 0 makes the mean known from the first reward on.
// REQUIRES: prior_variance > 0 or count > 0.
inline stats::NormalPosterior UpdateNormal(double prior_mean,
                                           double prior_variance, double count,
                                           double mean,
                                           double reward_variance) {
  if (!(count > 0)) return {prior_mean, prior_variance};
  // Weights in [0, 1] rather than precisions: nothing overflows when either
  // variance is 0 or tiny.
  const double error = reward_variance / count;
  const double scale = prior_variance + error;
  if (!(scale > 0)) return {mean, 0};
  const double data = prior_variance / scale;
  return {data * mean + (1 - data) * prior_mean, data * error};
}

}  // namespace bandit::policies

#endif  // BANDIT_POLICIES_POSTERIOR_H_
