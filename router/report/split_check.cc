// SPDX-License-Identifier: Apache-2.0
#include "router/report/split_check.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/distributions.h"
#include "stats/interval.h"
#include "stats/martingale_srm.h"

namespace bandit::report {
namespace {

using learning::kUnitBuckets;
namespace cells = learning::assignment;

// Decisions of all arms before anything is said.
constexpr double kFewest = 100;

double Sum(const ArmInput& arm, size_t what) {
  double sum = 0;
  for (size_t b = 0; b < kUnitBuckets; ++b) {
    sum += arm.assignment[b * cells::kCell + what];
  }
  return sum;
}

// By the draws, one by one.
void CheckDraws(const Input& input, v1::SplitCheck* check) {
  std::vector<stats::AssignmentSums> arms;
  for (const ArmInput& arm : input.arms) {
    arms.push_back({.count = Sum(arm, cells::kDrawn),
                    .expected = Sum(arm, cells::kExpected),
                    .variance = arm.assignment[cells::kVariance]});
  }
  const stats::MartingaleSrm srm = stats::TestAssignments(arms);
  check->set_method("martingale of the draws, valid at every look");
  check->set_p(stats::PFromEvidence(srm.log_evidence));
  check->set_z(srm.z);
  check->set_worst_arm(input.arms[srm.worst_arm].name);
}

// The excess of an arm over its due, against its spread across buckets.
void CheckBuckets(const Input& input, v1::SplitCheck* check) {
  check->set_method("t over unit buckets, for this look");
  double worst = 0;
  for (const ArmInput& arm : input.arms) {
    double sum = 0, squares = 0;
    for (size_t b = 0; b < kUnitBuckets; ++b) {
      const double excess = arm.assignment[b * cells::kCell + cells::kDrawn] -
                            arm.assignment[b * cells::kCell + cells::kExpected];
      sum += excess;
      squares += excess * excess;
    }
    const double variance = squares - sum * sum / kUnitBuckets;
    if (!(variance > 0)) continue;
    const double t =
        sum / std::sqrt(variance * kUnitBuckets / (kUnitBuckets - 1));
    if (std::abs(t) <= std::abs(worst)) continue;
    worst = t;
    check->set_worst_arm(arm.name);
  }
  check->set_z(worst);
  // Over all arms (Bonferroni).
  const double p = 2 * stats::StudentCdf(-std::abs(worst), kUnitBuckets - 1);
  check->set_p(std::min(1.0, p * static_cast<double>(input.arms.size())));
}

}  // namespace

v1::SplitCheck CheckSplit(const Input& input) {
  v1::SplitCheck check;
  double decisions = 0;
  for (const ArmInput& arm : input.arms) decisions += Sum(arm, cells::kDrawn);
  if (input.unit.empty()) {
    CheckDraws(input, &check);
  } else {
    CheckBuckets(input, &check);
  }
  if (decisions < kFewest || input.arms.size() < 2) {
    check.set_verdict(v1::SplitCheck::TOO_FEW);
    check.set_p(1);
  } else {
    check.set_verdict(check.p() < kMismatch ? v1::SplitCheck::MISMATCH
                                            : v1::SplitCheck::SOUND);
  }
  return check;
}

}  // namespace bandit::report
