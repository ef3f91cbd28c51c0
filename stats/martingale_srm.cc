// SPDX-License-Identifier: Apache-2.0
#include "stats/martingale_srm.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/distributions.h"
#include "stats/mixture.h"

namespace bandit::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// The level of the alarm that the mixture is tuned for.
constexpr double kAlarm = 0.001;

// Standard deviations from what is due.
double Deviation(const AssignmentSums& arm) {
  const double excess = arm.count - arm.expected;
  // What rounding leaves of a sum of zeros and ones.
  const double rounding = 1e-9 * (1 + arm.expected);
  if (arm.variance > 0) return excess / std::sqrt(arm.variance);
  if (std::abs(excess) <= rounding) return 0;
  return std::copysign(kInfinity, excess);
}

}  // namespace

MartingaleSrm TestAssignments(absl::Span<const AssignmentSums> arms,
                              double planned) {
  MartingaleSrm result;
  if (arms.empty()) return result;
  const double rho = BestRho(planned, 2 * kAlarm);
  double log_sum = -kInfinity;
  double choices = 0;  // Arms that could go either way.
  for (size_t i = 0; i < arms.size(); ++i) {
    const AssignmentSums& arm = arms[i];
    const double z = Deviation(arm);
    if (std::abs(z) > std::abs(result.z)) {
      result.worst_arm = i;
      result.z = z;
    }
    if (arm.variance > 0) choices += 1;
    const double excess = arm.count - arm.expected;
    const double log_e =
        std::isinf(z)
            ? kInfinity
            : LogMean(LogGammaPoissonMixture(excess, arm.variance, rho, 1),
                      LogGammaPoissonMixture(-excess, arm.variance, rho, 1));
    // LogMean halves; undone below by the mean over arms.
    log_sum = i == 0 ? log_e : std::log(2.0) + LogMean(log_sum, log_e);
  }
  result.log_evidence = log_sum - std::log(static_cast<double>(arms.size()));
  // Two arms deviate alike: their counts sum to a constant.
  const double tests = choices == 2 ? 1 : std::max(1.0, choices);
  result.p_fixed = std::min(1.0, tests * 2 * NormalCdf(-std::abs(result.z)));
  return result;
}

}  // namespace bandit::stats
