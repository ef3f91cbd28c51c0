// SPDX-License-Identifier: Apache-2.0
#include "stats/proportions.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bandit::stats {
namespace {

constexpr double kNormal = std::numeric_limits<double>::infinity();

// Both ends, whatever the plan's alternative.
Interval Wilson(const Successes& arm, double z) {
  const double n = arm.trials;
  const double p = arm.share();
  const double z2 = z * z / n;
  const double middle = (p + z2 / 2) / (1 + z2);
  const double reach = z * std::sqrt(p * (1 - p) / n + z2 / n / 4) / (1 + z2);
  // Exact at the ends, where rounding would leave 1e-18.
  return {arm.successes == 0 ? 0 : std::max(0.0, middle - reach),
          arm.successes == n ? 1 : std::min(1.0, middle + reach)};
}

Validity Check(const Successes& control, const Successes& treatment) {
  if (!control.valid() || !treatment.valid()) return Validity::kInvalid;
  return control.trials > 0 && treatment.trials > 0 ? Validity::kValid
                                                    : Validity::kTooFew;
}

double Variance(const Successes& arm) {
  return arm.share() * (1 - arm.share()) / arm.trials;
}

double PooledP(const Successes& control, const Successes& treatment,
               const TestPlan& plan) {
  const double pooled = (control.successes + treatment.successes) /
                        (control.trials + treatment.trials);
  const double variance =
      pooled * (1 - pooled) * (1 / control.trials + 1 / treatment.trials);
  if (!(variance > 0)) return 1;
  return PValue((treatment.share() - control.share()) / std::sqrt(variance),
                kNormal, plan);
}

}  // namespace

bool Successes::valid() const {
  return std::isfinite(trials) && successes >= 0 && successes <= trials;
}

Interval WilsonInterval(const Successes& arm, const TestPlan& plan) {
  Interval interval{0, 1};
  if (!arm.valid() || arm.trials == 0) return interval;
  const Interval both = Wilson(arm, CriticalValue(plan, kNormal));
  if (plan.alternative != Alternative::kLess) interval.low = both.low;
  if (plan.alternative != Alternative::kGreater) interval.high = both.high;
  return interval;
}

Estimate ProportionDifference(const Successes& control,
                              const Successes& treatment,
                              const TestPlan& plan) {
  Estimate estimate;
  estimate.validity = Check(control, treatment);
  if (estimate.validity != Validity::kValid) return estimate;
  const double z = CriticalValue(plan, kNormal);
  const double pc = control.share();
  const double pt = treatment.share();
  const Interval c = Wilson(control, z);
  const Interval t = Wilson(treatment, z);
  estimate.value = pt - pc;
  estimate.standard_error = std::sqrt(Variance(control) + Variance(treatment));
  if (plan.alternative != Alternative::kLess) {
    estimate.interval.low = pt - pc - std::hypot(pt - t.low, c.high - pc);
  }
  if (plan.alternative != Alternative::kGreater) {
    estimate.interval.high = pt - pc + std::hypot(t.high - pt, pc - c.low);
  }
  estimate.p = PooledP(control, treatment, plan);
  return estimate;
}

Estimate ProportionLift(const Successes& control, const Successes& treatment,
                        const TestPlan& plan) {
  Estimate estimate;
  estimate.validity = Check(control, treatment);
  if (estimate.validity != Validity::kValid) return estimate;
  if (control.successes == 0) {
    estimate.validity = Validity::kZeroBaseline;
    return estimate;
  }
  const double ratio = treatment.share() / control.share();
  estimate.value = ratio - 1;
  if (treatment.successes == 0) {
    estimate.validity = Validity::kTooFew;
    return estimate;
  }
  const double error = std::sqrt((1 - control.share()) / control.successes +
                                 (1 - treatment.share()) / treatment.successes);
  if (!(error > 0)) {
    estimate.validity = Validity::kNoVariance;
    return estimate;
  }
  const Interval log = IntervalAround(
      std::log(ratio), CriticalValue(plan, kNormal) * error, plan);
  estimate.standard_error = error;
  estimate.interval = {std::expm1(log.low), std::expm1(log.high)};
  estimate.p = PooledP(control, treatment, plan);
  return estimate;
}

}  // namespace bandit::stats
