// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/evidence.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"
#include "stats/bernoulli_sequence.h"
#include "stats/excess.h"
#include "stats/moments.h"

namespace bandit::guardrails {
namespace {

// Where a test is tightest. Regressions that matter show in some hundred
// requests; smaller ones only wait a little longer.
constexpr double kPlanned = 500;

stats::SequenceOptions Options(const Rule& rule) {
  return {.alpha = rule.alpha, .planned = kPlanned};
}

// A mean of bounded values is tested as a rate: values between the ends vary
// less than 0s and 1s.
double Span(const Rule& rule) {
  return rule.measure == Measure::kMean ? *rule.max - *rule.min : 1;
}

double Scaled(const Rule& rule, double value) {
  return rule.measure == Measure::kMean ? (value - *rule.min) / Span(rule)
                                        : value;
}

// Values as shares of their range; upside down where they must stay above.
stats::Successes Rates(const Rule& rule, const Sums& sums) {
  const double n = std::max(0.0, sums.count);
  const double total = sums.sum + n * sums.origin;
  double share = rule.measure == Measure::kMean
                     ? (total - n * *rule.min) / Span(rule)
                     : total;
  if (rule.above) share = n - share;
  return {std::clamp(share, 0.0, n), n};
}

stats::ObservedMean MeanOf(const Rule& rule, const Sums& sums) {
  stats::ObservedMean mean = stats::Observed(
      {sums.count, sums.sum, std::max(0.0, sums.squares), sums.origin});
  if (rule.above) mean.mean = -mean.mean;
  return mean;
}

double RateEvidence(const Rule& rule, const Sums& arm, const Sums& control) {
  const stats::SequenceOptions options = Options(rule);
  const stats::Successes rates = Rates(rule, arm);
  if (rule.relative()) {
    return stats::LogRateExcess(rates, Rates(rule, control),
                                rule.bound / Span(rule), options);
  }
  const double limit = Scaled(rule, rule.bound);
  return stats::LogBernoulliExcess(
      rates.successes, rates.trials, rule.above ? 1 - limit : limit,
      stats::BernoulliConcentration(options.planned, 2 * options.alpha));
}

double QuantileOf(const Rule& rule, const Sums& sums) {
  const double rank = rule.quantile * sums.count;
  double below = 0;
  for (const stats::HistogramCell& cell : sums.histogram.Cells()) {
    below += cell.count;
    if (below >= rank) return (cell.low + cell.high) / 2;
  }
  return 0;
}

}  // namespace

bool IsExact(const Rule& rule) {
  return rule.measure != Measure::kMean ||
         (rule.min.has_value() && rule.max.has_value());
}

double LogEvidence(const Rule& rule, const Sums& arm, const Sums& control) {
  if (!(arm.count > 0) || (rule.relative() && !(control.count > 0))) return 0;
  if (rule.measure == Measure::kQuantile) {
    return stats::LogQuantileExcess(arm.histogram.Cells(),
                                    control.histogram.Cells(), rule.quantile,
                                    rule.bound, Options(rule));
  }
  if (IsExact(rule)) return RateEvidence(rule, arm, control);
  if (rule.relative()) {
    return stats::LogMeanExcess(MeanOf(rule, arm), MeanOf(rule, control),
                                rule.bound, Options(rule));
  }
  return stats::LogMeanAbove(
      MeanOf(rule, arm), rule.above ? -rule.bound : rule.bound, Options(rule));
}

double Figure(const Rule& rule, const Sums& sums) {
  if (!(sums.count > 0)) return 0;
  if (rule.measure == Measure::kQuantile) return QuantileOf(rule, sums);
  return sums.origin + sums.sum / sums.count;
}

bool IsBeyond(const Rule& rule, const Sums& arm, const Sums& control) {
  const double figure = Figure(rule, arm);
  switch (rule.against) {
    case Against::kLimit:
      return rule.above ? figure < rule.bound : figure > rule.bound;
    case Against::kControlTimes:
      return figure > rule.bound * Figure(rule, control);
    case Against::kControlPlus:
      return rule.above ? figure < Figure(rule, control) - rule.bound
                        : figure > Figure(rule, control) + rule.bound;
  }
  return false;
}

std::string Describe(const Rule& rule, const Sums& arm, const Sums& control) {
  const double figure = Figure(rule, arm);
  if (rule.counts_above.has_value()) {
    return fmt::format("{:.3g} of {:.0f} above {:g}, where {:.3g} may be",
                       figure, arm.count, *rule.counts_above, rule.bound);
  }
  if (!rule.relative()) {
    return fmt::format("{:.4g} over {:.0f}, where {:g} is the limit", figure,
                       arm.count, rule.bound);
  }
  // Histograms hold nanoseconds, people read milliseconds.
  const double unit = rule.measure == Measure::kQuantile ? 1e-6 : 1;
  return fmt::format("{:.4g} over {:.0f}, the control arm {:.4g} over {:.0f}",
                     unit * figure, arm.count, unit * Figure(rule, control),
                     control.count);
}

}  // namespace bandit::guardrails
