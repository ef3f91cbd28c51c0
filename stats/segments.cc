// SPDX-License-Identifier: Apache-2.0
#include "stats/segments.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "stats/distributions.h"
#include "stats/multiple_testing.h"

namespace bandit::stats {
namespace {

bool Usable(const Effect& effect) {
  return std::isfinite(effect.value) && std::isfinite(effect.standard_error) &&
         effect.standard_error > 0;
}

}  // namespace

Heterogeneity TestHeterogeneity(absl::Span<const Effect> effects) {
  Heterogeneity result;
  // Weights relative to the best known effect: none overflows.
  double least = std::numeric_limits<double>::infinity();
  for (const Effect& e : effects) {
    if (Usable(e)) least = std::min(least, e.standard_error);
  }
  const auto weight = [&](const Effect& e) {
    const double root = least / e.standard_error;
    return root * root;
  };
  double weights = 0;
  for (const Effect& e : effects) {
    if (!Usable(e)) continue;
    ++result.count;
    weights += weight(e);
    result.pooled += (e.value - result.pooled) * weight(e) / weights;
  }
  if (result.count == 0) return result;
  result.pooled_error = least / std::sqrt(weights);
  if (result.count < 2) return result;
  for (const Effect& e : effects) {
    if (!Usable(e)) continue;
    const double z = (e.value - result.pooled) / e.standard_error;
    result.q += z * z;
  }
  const double dof = result.count - 1;
  result.validity = Validity::kValid;
  result.p = ChiSquareUpper(result.q, dof);
  result.i_squared = result.q > dof ? 1 - dof / result.q : 0;
  return result;
}

SegmentReport CompareSegments(absl::Span<const MeanPair> segments,
                              const TestPlan& plan, double fewest_units) {
  SegmentReport report;
  std::vector<double> p;
  std::vector<size_t> tested;
  std::vector<Effect> effects;
  for (const MeanPair& pair : segments) {
    SegmentEffect segment{.difference = Difference(pair, plan)};
    Estimate& d = segment.difference;
    if (d.validity == Validity::kValid &&
        std::min(pair.control.count, pair.treatment.count) < fewest_units) {
      const double value = d.value;
      d = Estimate{.validity = Validity::kTooFew, .value = value};
    }
    if (d.validity == Validity::kValid) {
      tested.push_back(report.segments.size());
      p.push_back(d.p);
      effects.push_back({d.value, d.standard_error});
    }
    report.segments.push_back(segment);
  }
  const std::vector<double> adjusted = BenjaminiHochberg(p);
  for (size_t i = 0; i < tested.size(); ++i) {
    report.segments[tested[i]].adjusted_p = adjusted[i];
  }
  report.heterogeneity = TestHeterogeneity(effects);
  return report;
}

}  // namespace bandit::stats
