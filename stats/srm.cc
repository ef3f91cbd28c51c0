// SPDX-License-Identifier: Apache-2.0
#include "stats/srm.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "stats/distributions.h"

namespace bandit::stats {
namespace {

constexpr double kFewestExpected = 5;

bool AllCounts(absl::Span<const double> values) {
  return std::all_of(values.begin(), values.end(),
                     [](double v) { return v >= 0 && std::isfinite(v); });
}

}  // namespace

RatioCheck CheckRatios(absl::Span<const double> observed,
                       absl::Span<const double> weights) {
  assert(observed.size() == weights.size());
  RatioCheck check;
  double total = 0;
  double weight = 0;
  double arms = 0;
  double rarest = 0;
  if (!AllCounts(observed) || !AllCounts(weights)) {
    check.validity = Validity::kInvalid;
    return check;
  }
  for (size_t i = 0; i < observed.size(); ++i) {
    if (weights[i] == 0) {
      check.unexpected += observed[i];
      continue;
    }
    rarest = arms == 0 ? weights[i] : std::min(rarest, weights[i]);
    total += observed[i];
    weight += weights[i];
    ++arms;
  }
  if (!std::isfinite(total) || !std::isfinite(weight)) {
    check.validity = Validity::kInvalid;
    return check;
  }
  if (arms < 2 || rarest / weight * total < kFewestExpected) return check;
  for (size_t i = 0; i < observed.size(); ++i) {
    if (weights[i] == 0) continue;
    const double expected = weights[i] / weight * total;
    const double off = observed[i] - expected;
    check.chi_square += off / expected * off;
  }
  check.validity = Validity::kValid;
  check.dof = arms - 1;
  check.p = ChiSquareUpper(check.chi_square, check.dof);
  return check;
}

}  // namespace bandit::stats
