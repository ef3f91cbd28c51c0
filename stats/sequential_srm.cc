// SPDX-License-Identifier: Apache-2.0
#include "stats/sequential_srm.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

#include "stats/interval.h"
#include "stats/special.h"

namespace bandit::stats {
namespace {

// ln of the likelihood of `counts`, in some order, under Dirichlet(alpha); the
// orders would cancel against those of the null.
double LogPolya(absl::Span<const double> counts,
                absl::Span<const double> alpha) {
  double sum_counts = 0;
  double sum_alpha = 0;
  double log = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    log += LogGamma(alpha[i] + counts[i]) - LogGamma(alpha[i]);
    sum_counts += counts[i];
    sum_alpha += alpha[i];
  }
  return log + LogGamma(sum_alpha) - LogGamma(sum_alpha + sum_counts);
}

double LogSplit(absl::Span<const double> counts,
                absl::Span<const double> shares) {
  double log = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    log += counts[i] * std::log(shares[i]);
  }
  return log;
}

}  // namespace

double LogSrmEvidence(absl::Span<const double> counts,
                      absl::Span<const double> shares, double concentration) {
  SequentialSrm srm(shares, {.concentration = concentration});
  srm.Add(counts);
  return srm.log_evidence();
}

SequentialSrm::SequentialSrm(absl::Span<const double> shares,
                             const SrmPrior& prior)
    : slab_weight_(prior.slab_weight) {
  assert(prior.concentration > 0 && 0 <= slab_weight_ && slab_weight_ < 1);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (size_t arm = 0; arm < shares.size(); ++arm) {
    assert(shares[arm] >= 0);
    if (!(shares[arm] > 0)) continue;
    arms_.push_back(arm);
    shares_.push_back(shares[arm] / sum);
    spike_.push_back(prior.concentration * shares_.back());
    slab_.push_back(1);
  }
}

void SequentialSrm::Add(absl::Span<const double> counts) {
  if (arms_.size() < 2) return;
  std::vector<double> seen;
  for (const size_t arm : arms_) seen.push_back(counts[arm]);
  double log = LogPolya(seen, spike_);
  if (slab_weight_ > 0) {
    const double slab = std::log(slab_weight_) + LogPolya(seen, slab_);
    log += std::log1p(-slab_weight_);
    log = std::max(log, slab) + std::log1p(std::exp(-std::abs(log - slab)));
  }
  log_evidence_ += log - LogSplit(seen, shares_);
  p_ = std::min(p_, PFromEvidence(log_evidence_));
  for (size_t i = 0; i < seen.size(); ++i) {
    spike_[i] += seen[i];
    slab_[i] += seen[i];
  }
}

}  // namespace bandit::stats
