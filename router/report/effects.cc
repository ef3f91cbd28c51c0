// SPDX-License-Identifier: Apache-2.0
#include "router/report/effects.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "stats/asymptotic_sequence.h"
#include "stats/bernoulli_sequence.h"
#include "stats/clusters.h"
#include "stats/comparison.h"
#include "stats/cuped.h"
#include "stats/off_policy.h"
#include "stats/proportions.h"

namespace bandit::report {
namespace {

// Observations of each arm before an asymptotic interval is believed.
constexpr double kBurnIn = 100;

constexpr std::string_view kNotYet = "fewer than 100 observations of an arm";

// Requests are units, and 0 or 1: what has exact methods.
bool ExactRates(const ArmData& arm, const Setting& setting) {
  return arm.binary && !setting.units && !setting.contextual &&
         !setting.adaptive && !arm.cells_only;
}

// By the draws, one by one.
bool HoldsSteps(const ArmData& arm, const Setting& setting) {
  return setting.adaptive && !setting.units && !arm.cells_only;
}

// Rates on moving shares have two intervals. The Bernoulli sequence is exact
// but wants a rate that stays, the design-based one lets it drift but is
// asymptotic and wants propensities that are not tiny. What holds both needs
// only one of the two to be right.
bool BothRates(const ArmData& arm, const Setting& setting) {
  return HoldsSteps(arm, setting) && arm.binary && !setting.contextual;
}

stats::Interval Hull(const stats::Interval& a, const stats::Interval& b) {
  return {.low = std::min(a.low, b.low), .high = std::max(a.high, b.high)};
}

stats::Interval BernoulliRate(const ArmData& arm, const Setting& setting,
                              double alpha) {
  const stats::Successes s = arm.sums->Successes();
  return stats::BernoulliSequence(s.successes, s.trials,
                                  {.alpha = alpha, .planned = setting.planned});
}

bool ByBucket(const ArmData& arm, const Setting& setting) {
  return setting.units || arm.cells_only;
}

std::string MeanMethod(const ArmData& arm, const Setting& setting) {
  if (setting.adaptive) return "inverse-propensity weighted, by unit buckets";
  if (ByBucket(arm, setting)) return "by unit buckets";
  return arm.binary ? "Wilson" : "t";
}

void SetFixed(const stats::Estimate& estimate, std::string method,
              v1::Effect* effect) {
  if (estimate.validity == stats::Validity::kValid) {
    effect->set_value(estimate.value);
    effect->set_p_fixed(estimate.p);
    SetInterval(estimate.interval, effect->mutable_fixed());
  } else {
    effect->set_reason(std::string(Describe(estimate.validity)));
    if (estimate.validity != stats::Validity::kTooFew &&
        estimate.validity != stats::Validity::kInvalid) {
      effect->set_value(estimate.value);
    }
  }
  effect->set_fixed_method(std::move(method));
}

void SetAnytime(const stats::Interval& interval, std::string method,
                v1::Effect* effect) {
  if (std::isfinite(interval.width())) {
    SetInterval(interval, effect->mutable_anytime());
  }
  effect->set_anytime_method(std::move(method));
}

// The design-based method is tightest at a sum of squared weighted rewards: the
// planned observations times what one adds, roughly. That is of the data, but
// only to a power of 4, so that it hardly ever moves between two looks.
double PlannedNoise(const stats::OffPolicySums& sums, const Setting& setting) {
  const double typical =
      sums.decisions > 0 ? sums.squared_noise / sums.decisions : 0;
  if (!(typical > 0)) return setting.planned;
  return setting.planned * std::exp2(2 * std::round(std::log2(typical) / 2));
}

stats::Interval DesignValue(const ArmData& arm, const Setting& setting,
                            double alpha) {
  const stats::OffPolicySums sums = arm.sums->OffPolicy(arm.decisions);
  return stats::DesignBasedValue(sums, {.alpha = alpha,
                                        .planned = PlannedNoise(sums, setting),
                                        .burn_in = kBurnIn})
      .interval;
}

stats::Interval AsymptoticAround(const stats::Estimate& estimate, double n,
                                 const Setting& setting) {
  if (estimate.validity != stats::Validity::kValid) return {};
  return stats::AsymptoticSequence(
             estimate.value, estimate.standard_error, n,
             {.alpha = setting.alpha, .planned = setting.planned})
      .interval;
}

// At its own alpha; unbounded where there is too little.
stats::Interval AnytimeMean(const ArmData& arm, const Setting& setting,
                            double alpha) {
  if (ExactRates(arm, setting)) return BernoulliRate(arm, setting, alpha);
  if (BothRates(arm, setting)) {
    return Hull(DesignValue(arm, setting, alpha),
                BernoulliRate(arm, setting, alpha));
  }
  if (HoldsSteps(arm, setting)) return DesignValue(arm, setting, alpha);
  if (arm.sums->count() < kBurnIn) return {};
  Setting at = setting;
  at.alpha = alpha;
  return AsymptoticAround(stats::Infer(MeanOf(arm, setting), {.alpha = alpha}),
                          arm.sums->count(), at);
}

std::string AnytimeMethod(const ArmData& arm, const Setting& setting) {
  if (ExactRates(arm, setting)) return "Bernoulli confidence sequence";
  if (BothRates(arm, setting)) {
    return "Bernoulli and design-based confidence sequences, both";
  }
  if (HoldsSteps(arm, setting)) return "design-based confidence sequence";
  return "asymptotic confidence sequence";
}

// Of (arm - control) / |control|, from intervals that hold together.
stats::Interval Ratio(const stats::Interval& control,
                      const stats::Interval& arm) {
  if (!(control.low > 0) || !std::isfinite(arm.width())) return {};
  return {
      .low = (arm.low > 0 ? arm.low / control.high : arm.low / control.low) - 1,
      .high =
          (arm.high > 0 ? arm.high / control.low : arm.high / control.high) -
          1};
}

// Each arm's interval at half of alpha: together they hold at alpha.
void CompareIntervals(const ArmData& control, const ArmData& arm,
                      const Setting& setting, Comparison* to) {
  const stats::Interval c = AnytimeMean(control, setting, setting.alpha / 2);
  const stats::Interval a = AnytimeMean(arm, setting, setting.alpha / 2);
  const std::string method =
      AnytimeMethod(arm, setting) + " of each arm at alpha / 2";
  if (!HoldsSteps(arm, setting)) {
    SetAnytime({.low = a.low - c.high, .high = a.high - c.low}, method,
               &to->difference);
  }
  SetAnytime(Ratio(c, a), method, &to->lift);
}

void CompareRates(const ArmData& control, const ArmData& arm,
                  const Setting& setting, Comparison* to) {
  const stats::TestPlan plan{.alpha = setting.alpha};
  const stats::Successes c = control.sums->Successes();
  const stats::Successes a = arm.sums->Successes();
  SetFixed(stats::ProportionDifference(c, a, plan), "Newcombe",
           &to->difference);
  SetFixed(stats::ProportionLift(c, a, plan), "log of the risk ratio",
           &to->lift);
  CompareIntervals(control, arm, setting, to);
}

void CompareSteps(const ArmData& control, const ArmData& arm,
                  const Setting& setting, Comparison* to) {
  const stats::OffPolicySums c = control.sums->OffPolicy(control.decisions);
  const stats::OffPolicySums a = arm.sums->OffPolicy(arm.decisions);
  stats::OffPolicySums both = c;
  both.squared_noise += a.squared_noise;
  stats::Interval difference =
      stats::DesignBasedLift(a, c,
                             {.alpha = setting.alpha,
                              .planned = PlannedNoise(both, setting),
                              .burn_in = kBurnIn})
          .interval;
  if (BothRates(arm, setting)) {
    const stats::Interval rate = BernoulliRate(arm, setting, setting.alpha / 2);
    const stats::Interval base =
        BernoulliRate(control, setting, setting.alpha / 2);
    difference = Hull(difference, {.low = rate.low - base.high,
                                   .high = rate.high - base.low});
  }
  SetAnytime(difference, AnytimeMethod(arm, setting), &to->difference);
  CompareIntervals(control, arm, setting, to);
}

}  // namespace

void SetInterval(const stats::Interval& interval, v1::Interval* to) {
  to->set_low(interval.low);
  to->set_high(interval.high);
}

stats::MeanPair PairOf(const ArmData& control, const ArmData& arm,
                       const Setting& setting) {
  const double origin = arm.sums->center();
  if (setting.adaptive) {
    return stats::PairOfBuckets(control.sums->Weighted(), arm.sums->Weighted(),
                                origin);
  }
  if (ByBucket(arm, setting)) {
    return stats::PairOfBuckets(control.sums->Buckets(), arm.sums->Buckets(),
                                origin);
  }
  return {.control = MeanOf(control, setting),
          .treatment = MeanOf(arm, setting)};
}

stats::MeanEstimate MeanOf(const ArmData& arm, const Setting& setting) {
  const ArmSums& sums = *arm.sums;
  if (setting.adaptive) {
    return stats::MeanOfBuckets(sums.Weighted(), sums.center());
  }
  if (ByBucket(arm, setting)) {
    return stats::MeanOfBuckets(sums.Buckets(), sums.center());
  }
  return stats::MeanOf(sums.Moments());
}

v1::Effect MeanEffect(const ArmData& arm, const Setting& setting) {
  const stats::TestPlan plan{.alpha = setting.alpha};
  v1::Effect effect;
  const stats::MeanEstimate mean = MeanOf(arm, setting);
  SetFixed(stats::Infer(mean, plan), MeanMethod(arm, setting), &effect);
  // That a mean is not 0 is no discovery.
  effect.clear_p_fixed();
  if (arm.sums->count() > 0) effect.set_value(mean.mean);
  if (ExactRates(arm, setting) && arm.sums->count() > 0) {
    const stats::Successes s = arm.sums->Successes();
    effect.set_value(s.share());
    effect.clear_reason();
    SetInterval(stats::WilsonInterval(s, plan), effect.mutable_fixed());
  }
  SetAnytime(AnytimeMean(arm, setting, setting.alpha),
             AnytimeMethod(arm, setting), &effect);
  if (effect.reason().empty() && !effect.has_anytime()) {
    effect.set_reason(std::string(kNotYet));
  }
  return effect;
}

Adjusted Adjust(const ArmData& control, const ArmData& arm, double theta,
                double center, const Setting& setting) {
  const stats::TestPlan plan{.alpha = setting.alpha};
  Adjusted adjusted;
  stats::Estimate difference;
  double plain = 0;
  if (setting.units) {
    const stats::MeanPair raw =
        stats::PairOfBuckets(control.sums->Values(), arm.sums->Values());
    const auto freed = [&](const ArmData& data) {
      return stats::AdjustBuckets(data.sums->Values(), data.sums->Covariates(),
                                  theta, center);
    };
    difference = stats::Difference(
        stats::PairOfBuckets(freed(control), freed(arm)), plan);
    plain = stats::Difference(raw, plan).standard_error;
  } else {
    const stats::CupedComparison cuped = stats::CompareCuped(
        control.sums->Crossed(), arm.sums->Crossed(), theta, plan);
    difference = cuped.difference;
    adjusted.variance_reduction = cuped.variance_reduction;
  }
  if (setting.units && difference.validity == stats::Validity::kValid &&
      std::isfinite(plain) && plain > 0) {
    const double ratio = difference.standard_error / plain;
    adjusted.variance_reduction = 1 - ratio * ratio;
  }
  SetFixed(difference,
           setting.units ? "CUPED, by unit buckets" : "CUPED, Welch",
           &adjusted.difference);
  const bool enough =
      std::min(control.sums->count(), arm.sums->count()) >= kBurnIn;
  SetAnytime(enough ? AsymptoticAround(
                          difference, control.sums->count() + arm.sums->count(),
                          setting)
                    : stats::Interval(),
             "asymptotic confidence sequence", &adjusted.difference);
  return adjusted;
}

Comparison Compare(const ArmData& control, const ArmData& arm,
                   const Setting& setting) {
  Comparison comparison;
  if (ExactRates(arm, setting)) {
    CompareRates(control, arm, setting, &comparison);
    return comparison;
  }
  const stats::TestPlan plan{.alpha = setting.alpha};
  const stats::MeanPair pair = PairOf(control, arm, setting);
  const stats::Estimate difference = stats::Difference(pair, plan);
  const stats::LiftEstimate lift = stats::Lift(pair, plan);
  const std::string method = setting.adaptive || ByBucket(arm, setting)
                                 ? MeanMethod(arm, setting)
                                 : "Welch";
  SetFixed(difference, method, &comparison.difference);
  SetFixed(lift.estimate,
           method + (lift.method == stats::LiftMethod::kFieller ? ", Fieller"
                                                                : ", delta"),
           &comparison.lift);
  const double fewest = std::min(control.sums->count(), arm.sums->count());
  if (HoldsSteps(arm, setting)) {
    CompareSteps(control, arm, setting, &comparison);
  } else {
    const double n = control.sums->count() + arm.sums->count();
    const bool enough = fewest >= kBurnIn;
    SetAnytime(
        enough ? AsymptoticAround(difference, n, setting) : stats::Interval(),
        AnytimeMethod(arm, setting), &comparison.difference);
    SetAnytime(enough && lift.method == stats::LiftMethod::kDelta
                   ? AsymptoticAround(lift.estimate, n, setting)
                   : stats::Interval(),
               AnytimeMethod(arm, setting), &comparison.lift);
  }
  for (v1::Effect* effect : {&comparison.difference, &comparison.lift}) {
    if (effect->reason().empty() && !effect->has_anytime()) {
      effect->set_reason(fewest < kBurnIn
                             ? std::string(kNotYet)
                             : "the control's mean is too close to 0");
    }
  }
  return comparison;
}

}  // namespace bandit::report
