// SPDX-License-Identifier: Apache-2.0
// P-values that stay honest when many are looked at.
//
// Adjusted p-values: reject where one is at most alpha. Holm for the few
// metrics that decide (it bounds the chance of any false alarm), Benjamini and
// Hochberg for the many that explain (it bounds the share of false alarms).
#ifndef BANDIT_STATS_MULTIPLE_TESTING_H_
#define BANDIT_STATS_MULTIPLE_TESTING_H_

#include <vector>

#include "absl/types/span.h"

namespace bandit::stats {

// All of them: one result for each p, in order, at most 1. A p that is not in
// [0, 1], NaN included, counts as 1: a test without a result is no discovery,
// but it was looked at.
// Cost: O(n log n).

// n p. Family-wise error rate, whatever the dependence.
std::vector<double> Bonferroni(absl::Span<const double> p);
// Holm (1979). Family-wise error rate, whatever the dependence; never larger
// than Bonferroni's.
std::vector<double> Holm(absl::Span<const double> p);
// Benjamini, Hochberg (1995). False discovery rate, for independent or
// positively dependent tests.
std::vector<double> BenjaminiHochberg(absl::Span<const double> p);
// Benjamini, Yekutieli (2001). False discovery rate, whatever the dependence.
std::vector<double> BenjaminiYekutieli(absl::Span<const double> p);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_MULTIPLE_TESTING_H_
