// SPDX-License-Identifier: Apache-2.0
// A lower confidence sequence for a mean in [0, 1] of observations that are
// not negative but may be as large as they like: importance-weighted rewards.
//
// Not asymptotic, needs no bound on the weights, and the mean may drift: what
// is bounded is the average over the observations so far.
//
// Source: Mineiro, A lower confidence sequence for the changing mean of
// non-negative right heavy-tailed observations with bounded mean,
// arXiv:2210.11133 (DDRM). A discrete mixture over lambda of
//
//   exp(lambda (x - m) - v(lambda, x, prediction))
//
// with the prediction made from what came before. The constants are those of
// its author's implementation in Vowpal Wabbit.
#ifndef BANDIT_STATS_ROBUST_MEAN_H_
#define BANDIT_STATS_ROBUST_MEAN_H_

#include <array>
#include <cstddef>

namespace bandit::stats {

// Sums of fixed size. Those of parallel streams may be added: each predicts
// from its own past, which is past for all of them.
// Determinism: the order of observations matters a little (the predictions).
class RobustMean {
 public:
  // Observations count as at most 1.5^(kCells - 1), some 10^7, which can only
  // lower the bound.
  static constexpr size_t kCells = 40;
  // Values of lambda; what is left out of the mixture has weight 1e-13.
  static constexpr size_t kBets = 61;

  // x >= 0, and its mean given the past in [0, 1]. `times` (whole) repeats it.
  // Cost: O(1); O(times) for x >= 1.
  void Add(double x, double times = 1);
  void Merge(const RobustMean& other);

  double count() const { return count_; }
  // 0 without observations.
  double mean() const { return count_ > 0 ? sum_ / count_ : 0; }

  // ln of the evidence that the mean is above `mean`. Falls in `mean`.
  double LogEvidence(double mean) const;

  // In [0, 1]; 0 without observations. P(it ever exceeds the average of the
  // means) <= alpha.   Cost: some 20 us.
  double LowerBound(double alpha) const;

 private:
  void AddOne(double x);
  // ln of each lambda's share of the evidence against a mean of 0.
  std::array<double, kBets> LogWealthAtZero() const;
  double LogEvidence(double mean, std::array<double, kBets> wealth) const;

  double count_ = 0;
  double sum_ = 0;
  // Squared errors of the predictions: from above, and by at most 1 from below.
  double low_ = 0;
  double middle_ = 0;
  // Larger errors e from below, on a grid of 1.5^n: what interpolates
  // lambda e - ln(1 + lambda e) between grid points, and what corrects it.
  std::array<double, kCells> grid_{};
  std::array<double, kCells> correction_{};
};

}  // namespace bandit::stats

#endif  // BANDIT_STATS_ROBUST_MEAN_H_
