// SPDX-License-Identifier: Apache-2.0
#include "stats/excess.h"

#include <algorithm>
#include <cmath>

#include "stats/bernoulli_sequence.h"
#include "stats/mixture.h"

namespace bandit::stats {
namespace {

// What is never bet. Without it the evidence of one arm, against values that
// it is far on the safe side of, falls without end, and takes the other arm's
// with it.
constexpr double kReserve = 0.1;

// Evidence of one arm, one-sided, that its rate is above p.
class OneSided {
 public:
  explicit OneSided(const SequenceOptions& options)
      : concentration_(
            BernoulliConcentration(options.planned, 2 * options.alpha)) {}

  double operator()(double successes, double trials, double p) const {
    const double log_e =
        LogBernoulliExcess(successes, trials, p, concentration_);
    // ln(r + (1 - r) e).
    return LogMean(std::log(2 * kReserve),
                   log_e + std::log(2 * (1 - kReserve)));
  }

 private:
  double concentration_;
};

// The least value of a function of p in [0, top] that has one valley, or one
// that a grid of the logit tells from others.
template <typename Function>
double Least(double top, Function f) {
  constexpr int kGrid = 96;
  constexpr double kFarthest = 16;
  const auto at = [&](double logit) { return f(top / (1 + std::exp(-logit))); };
  const auto node = [](int i) { return kFarthest * (2.0 * i / kGrid - 1); };
  int best = 0;
  double least = at(node(0));
  for (int i = 1; i <= kGrid; ++i) {
    const double value = at(node(i));
    if (value < least) {
      least = value;
      best = i;
    }
  }
  constexpr double kGolden = 0.38196601125010515;
  double low = node(std::max(0, best - 1));
  double high = node(std::min(kGrid, best + 1));
  for (int i = 0; i < 40; ++i) {
    const double left = low + kGolden * (high - low);
    const double right = high - kGolden * (high - low);
    const double at_left = at(left);
    const double at_right = at(right);
    least = std::min({least, at_left, at_right});
    (at_left < at_right ? high : low) = at_left < at_right ? right : left;
  }
  return std::min({least, f(0), f(top)});
}

double Total(absl::Span<const HistogramCell> cells) {
  double n = 0;
  for (const HistogramCell& cell : cells) n += cell.count;
  return n;
}

}  // namespace

double LogRateExcess(const Successes& arm, const Successes& control,
                     double margin, const SequenceOptions& options) {
  const OneSided evidence(options);
  // Against "the control's rate is at least p, the arm's at most p + margin".
  return Least(1 - margin, [&](double p) {
    return evidence(arm.successes, arm.trials, p + margin) +
           evidence(control.trials - control.successes, control.trials, 1 - p);
  });
}

double LogQuantileExcess(absl::Span<const HistogramCell> arm,
                         absl::Span<const HistogramCell> control, double q,
                         double ratio, const SequenceOptions& options) {
  const OneSided evidence(options);
  const double arm_count = Total(arm);
  const double control_count = Total(control);
  // A candidate x: the arm's quantile is at most x, so no more than 1 - q of
  // its values lie above; that of the scaled control is at least x. What may
  // lie on either side of x counts for the hypothesis. From one end of an
  // arm's cell to the next only the control's evidence grows: the low ends
  // suffice.
  double above = arm_count;
  double below = 0;
  double least = evidence(above, arm_count, 1 - q);
  size_t next = 0;
  for (const HistogramCell& cell : arm) {
    above = std::max(0.0, above - cell.count);
    while (next < control.size() && ratio * control[next].high < cell.low) {
      below += control[next++].count;
    }
    least = std::min(least, evidence(above, arm_count, 1 - q) +
                                evidence(below, control_count, q));
  }
  return least;
}

}  // namespace bandit::stats
