// SPDX-License-Identifier: Apache-2.0
#include "stats/trend.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace bandit::stats {
namespace {

constexpr double kNormal = std::numeric_limits<double>::infinity();

bool Usable(const DayEffect& day) {
  return std::isfinite(day.day) && std::isfinite(day.effect.value) &&
         std::isfinite(day.effect.standard_error) &&
         day.effect.standard_error > 0;
}

// Weighted least squares about the weighted mean day, where slope and level are
// independent.
void FitLine(const std::vector<DayEffect>& days, const TestPlan& plan,
             TrendReport* report) {
  double least = kNormal;
  for (const DayEffect& d : days) {
    least = std::min(least, d.effect.standard_error);
  }
  double weights = 0;
  double mean_day = 0;
  double mean_effect = 0;
  const auto weight = [&](const DayEffect& d) {
    const double root = least / d.effect.standard_error;
    return root * root;
  };
  for (const DayEffect& d : days) {
    weights += weight(d);
    mean_day += (d.day - mean_day) * weight(d) / weights;
    mean_effect += (d.effect.value - mean_effect) * weight(d) / weights;
  }
  double squares = 0;
  double products = 0;
  for (const DayEffect& d : days) {
    squares += weight(d) * (d.day - mean_day) * (d.day - mean_day);
    products += weight(d) * (d.day - mean_day) * d.effect.value;
  }
  if (days.size() < 3 || !(squares > 0)) return;
  report->slope =
      Infer(products / squares, least / std::sqrt(squares), kNormal, plan);
  report->intercept = mean_effect - report->slope.value * mean_day;
}

}  // namespace

TrendReport TestTrend(absl::Span<const DayEffect> days, double split_day,
                      const TestPlan& plan) {
  TrendReport report;
  std::vector<DayEffect> usable;
  std::vector<Effect> early;
  std::vector<Effect> late;
  for (const DayEffect& day : days) {
    if (!Usable(day)) continue;
    usable.push_back(day);
    (day.day <= split_day ? early : late).push_back(day.effect);
  }
  FitLine(usable, plan, &report);
  const Heterogeneity before = TestHeterogeneity(early);
  const Heterogeneity after = TestHeterogeneity(late);
  report.early = before.pooled;
  report.late = after.pooled;
  if (!early.empty() && !late.empty()) {
    report.contrast = Infer(before.pooled - after.pooled,
                            std::hypot(before.pooled_error, after.pooled_error),
                            kNormal, plan);
  }
  if (report.slope.validity == Validity::kValid &&
      report.contrast.validity == Validity::kValid &&
      report.slope.p <= plan.alpha && report.contrast.p <= plan.alpha) {
    if (report.slope.value < 0 && report.contrast.value > 0) {
      report.trend = Trend::kFalling;
    } else if (report.slope.value > 0 && report.contrast.value < 0) {
      report.trend = Trend::kRising;
    }
  }
  return report;
}

}  // namespace bandit::stats
