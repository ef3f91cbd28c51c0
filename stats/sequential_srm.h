// SPDX-License-Identifier: Apache-2.0
// Sample ratio mismatch, looked at as often as one likes: do the arms get the
// traffic that the split says?
//
// For fixed shares. Under a bandit the shares move, and martingale_srm.h tests
// them as they were.
//
// Source: Lindon and Malek, Anytime-valid inference for multinomial count data,
// NeurIPS 2022; the slab as in GrowthBook's sequential SRM.
#ifndef BANDIT_STATS_SEQUENTIAL_SRM_H_
#define BANDIT_STATS_SEQUENTIAL_SRM_H_

#include <vector>

#include "absl/types/span.h"

namespace bandit::stats {

struct SrmPrior {
  // The alternative's shares are drawn about the promised ones, as if known
  // from so many units: large for small mismatches in much traffic.
  double concentration = 10000;
  // Weight, in [0, 1), of an alternative that knows nothing: faster for gross
  // mismatches, but then the answer depends on when one looks.
  double slab_weight = 0;
};

// ln of the evidence against the split, given all counts so far: the ratio of
// the Dirichlet-multinomial to the multinomial likelihood. A function of sums,
// so that it needs no state. Arms of share 0 are left out with their counts; 0
// if fewer than two arms are left. Shares need not sum to 1.
// REQUIRES: counts.size() == shares.size(), none negative.
double LogSrmEvidence(absl::Span<const double> counts,
                      absl::Span<const double> shares,
                      double concentration = 10000);

// The test with memory: p() is the least p-value of all looks.
class SequentialSrm {
 public:
  explicit SequentialSrm(absl::Span<const double> shares,
                         const SrmPrior& prior = {});

  // The counts that are new since the last look, one for each share given.
  void Add(absl::Span<const double> counts);

  // P(ever <= a) <= a while the split is kept; in [1e-300, 1].
  double p() const { return p_; }
  double log_evidence() const { return log_evidence_; }

 private:
  std::vector<size_t> arms_;  // Those with a share.
  std::vector<double> shares_;
  std::vector<double> spike_;
  std::vector<double> slab_;
  double slab_weight_;
  double log_evidence_ = 0;
  double p_ = 1;
};

}  // namespace bandit::stats

#endif  // BANDIT_STATS_SEQUENTIAL_SRM_H_
