// SPDX-License-Identifier: Apache-2.0
// A reward that is a weighted sum of metrics, as one metric.
#ifndef BANDIT_ROUTER_REPORT_WEIGHTED_REWARD_H_
#define BANDIT_ROUTER_REPORT_WEIGHTED_REWARD_H_

#include <vector>

#include "router/report/input.h"

namespace bandit::report {

// Its cells have the counts of the part with the fewest decisions and such sums
// that mean and variance across buckets are those of the weighted sum: with m
// the parts' means and n their counts in a bucket of N in all,
//
//   sum_b = n_b sum_k w_k m_k + N sum_k w_k (s_kb - m_k n_kb) / N_k
//
// `declared` are the experiment's other metrics in the order of its config,
// `calls` what the router measures, by arm.
MetricInput WeightedReward(const experiment::Experiment& experiment,
                           const learning::MeasureLayout& layout,
                           const std::vector<MetricInput>& declared,
                           const std::vector<std::vector<double>>& calls);

}  // namespace bandit::report

#endif  // BANDIT_ROUTER_REPORT_WEIGHTED_REWARD_H_
