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

// ln(r + (1 - r) e).
double Reserved(double log_e) {
  return LogMean(std::log(2 * kReserve), log_e + std::log(2 * (1 - kReserve)));
}

// Evidence of one arm, one-sided, that its rate is above p.
class OneSided {
 public:
  explicit OneSided(const SequenceOptions& options)
      : concentration_(
            BernoulliConcentration(options.planned, 2 * options.alpha)) {}

  double operator()(double successes, double trials, double p) const {
    return Reserved(LogBernoulliExcess(successes, trials, p, concentration_));
  }

 private:
  double concentration_;
};

// The least value of a function in [begin, end] that has one valley, or one
// that a grid tells from others.
template <typename Function>
double Least(double begin, double end, Function f) {
  constexpr int kGrid = 96;
  const auto node = [&](int i) { return begin + (end - begin) * i / kGrid; };
  int best = 0;
  double least = f(node(0));
  for (int i = 1; i <= kGrid; ++i) {
    const double value = f(node(i));
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
    const double at_left = f(left);
    const double at_right = f(right);
    least = std::min({least, at_left, at_right});
    (at_left < at_right ? high : low) = at_left < at_right ? right : left;
  }
  return least;
}

// The same of a function of p in [0, top], on a grid of the logit.
template <typename Function>
double LeastOverRates(double top, Function f) {
  constexpr double kFarthest = 16;
  const double inside = Least(-kFarthest, kFarthest, [&](double logit) {
    return f(top / (1 + std::exp(-logit)));
  });
  return std::min({inside, f(0), f(top)});
}

// ln of the evidence that the mean is above m, not reserved.
double MeanAbove(const ObservedMean& arm, double m, double rho) {
  const double s = (arm.mean - m) / arm.standard_error * std::sqrt(arm.n);
  return LogOneSidedNormalMixture(s, arm.n, rho);
}

bool Speaks(const ObservedMean& arm, double burn_in) {
  return arm.n >= burn_in && arm.n > 0 && arm.standard_error > 0 &&
         std::isfinite(arm.standard_error) && std::isfinite(arm.mean);
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
  return LeastOverRates(1 - margin, [&](double p) {
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

double LogQuantileAbove(absl::Span<const HistogramCell> arm, double q,
                        double limit, const SequenceOptions& options) {
  double above = 0;
  for (const HistogramCell& cell : arm) {
    if (cell.low > limit) above += cell.count;
  }
  return LogBernoulliExcess(
      above, Total(arm), 1 - q,
      BernoulliConcentration(options.planned, 2 * options.alpha));
}

ObservedMean Observed(const Moments& moments) {
  if (!(moments.count > 0)) return {};
  return {moments.mean(), std::sqrt(moments.variance() / moments.count),
          moments.count};
}

double LogMeanAbove(const ObservedMean& arm, double limit,
                    const SequenceOptions& options, double burn_in) {
  if (!Speaks(arm, burn_in)) return 0;
  return MeanAbove(arm, limit, BestRho(options.planned, 2 * options.alpha));
}

double LogMeanExcess(const ObservedMean& arm, const ObservedMean& control,
                     double margin, const SequenceOptions& options,
                     double burn_in) {
  if (!Speaks(arm, burn_in) || !Speaks(control, burn_in)) return 0;
  const double rho = BestRho(options.planned, 2 * options.alpha);
  const ObservedMean mirrored{-control.mean, control.standard_error, control.n};
  // Farther out than this one arm's evidence only grows, and the other's has
  // reached its reserve.
  constexpr double kFarthest = 8;
  const double a = arm.mean - margin;
  const double begin =
      std::min(control.mean - kFarthest * control.standard_error,
               a - kFarthest * arm.standard_error);
  const double end = std::max(control.mean + kFarthest * control.standard_error,
                              a + kFarthest * arm.standard_error);
  // Against "the control's mean is at least m, the arm's at most m + margin".
  return Least(begin, end, [&](double m) {
    return Reserved(MeanAbove(arm, m + margin, rho)) +
           Reserved(MeanAbove(mirrored, -m, rho));
  });
}

}  // namespace bandit::stats
