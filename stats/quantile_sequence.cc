// SPDX-License-Identifier: Apache-2.0
#include "stats/quantile_sequence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "stats/bernoulli_sequence.h"
#include "stats/special.h"

namespace bandit::stats {
namespace {

double Total(absl::Span<const HistogramCell> cells) {
  double n = 0;
  for (const HistogramCell& cell : cells) n += cell.count;
  return n;
}

// One arm's evidence against "x is the q-quantile", x ascending from call to
// call.
class Evidence {
 public:
  Evidence(absl::Span<const HistogramCell> cells, double q,
           const SequenceOptions& options)
      : cells_(cells),
        q_(q),
        concentration_(BernoulliConcentration(options.planned, options.alpha)),
        n_(Total(cells)),
        likeliest_(Likeliest()) {}

  double At(double x) {
    // Of the values, from `below_` to `through_` may be at or below x: which of
    // its cell are is unknown, and of ties any part may count.
    while (next_below_ < cells_.size() && cells_[next_below_].high < x) {
      below_ += cells_[next_below_++].count;
    }
    while (next_through_ < cells_.size() && cells_[next_through_].low <= x) {
      through_ += cells_[next_through_++].count;
    }
    return Of(std::clamp(likeliest_, below_, through_));
  }

 private:
  double Of(double count) const {
    return LogBernoulliEvidence(count, n_, q_, concentration_);
  }

  // The count with the least evidence: the evidence is convex in it.
  double Likeliest() const {
    constexpr double kGolden = 0.38196601125010515;
    double low = 0;
    double high = n_;
    for (int i = 0; i < 80 && high - low > 1e-9 * n_; ++i) {
      const double left = low + kGolden * (high - low);
      const double right = high - kGolden * (high - low);
      if (Of(left) < Of(right)) {
        high = right;
      } else {
        low = left;
      }
    }
    return (low + high) / 2;
  }

  absl::Span<const HistogramCell> cells_;
  double q_;
  double concentration_;
  double n_;
  double likeliest_;
  double below_ = 0;
  double through_ = 0;
  size_t next_below_ = 0;
  size_t next_through_ = 0;
};

}  // namespace

Interval QuantileRanks(double n, double q, const SequenceOptions& options) {
  const double k = BernoulliConcentration(options.planned, options.alpha);
  const double threshold = -std::log(options.alpha);
  const auto possible = [&](double count) {
    return LogBernoulliEvidence(count, n, q, k) < threshold;
  };
  if (!(n > 0)) return {0, 0};
  return {Boundary(q * n, 0, possible), Boundary(q * n, n, possible)};
}

Interval QuantileSequence(absl::Span<const HistogramCell> cells, double q,
                          const SequenceOptions& options) {
  const double n = Total(cells);
  const Interval ranks = QuantileRanks(n, q, options);
  Interval interval;
  double through = 0;
  for (const HistogramCell& cell : cells) {
    const double below = through;
    through += cell.count;
    // The first cell that enough values reach holds the least candidate.
    if (below < ranks.low && ranks.low <= through) interval.low = cell.low;
    // The first that too many values lie through holds the greatest.
    if (below <= ranks.high && ranks.high < through) interval.high = cell.high;
  }
  return interval;
}

double LogQuantileDifference(absl::Span<const HistogramCell> a,
                             absl::Span<const HistogramCell> b, double q,
                             const SequenceOptions& options) {
  // Between two ends of cells the counts are possible at an end as well.
  std::vector<double> candidates;
  for (const absl::Span<const HistogramCell> cells : {a, b}) {
    for (const HistogramCell& cell : cells) {
      candidates.push_back(cell.low);
      candidates.push_back(cell.high);
    }
  }
  std::sort(candidates.begin(), candidates.end());
  Evidence evidence_a(a, q, options);
  Evidence evidence_b(b, q, options);
  double least = std::numeric_limits<double>::infinity();
  for (const double x : candidates) {
    least = std::min(least, evidence_a.At(x) + evidence_b.At(x));
  }
  return candidates.empty() ? 0 : least;
}

}  // namespace bandit::stats
