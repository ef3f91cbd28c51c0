// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/power.h"

#include <algorithm>
#include <cmath>

#include "clients/cli/json.h"
#include "fmt/format.h"
#include "google/protobuf/struct.pb.h"
#include "stats/asymptotic_sequence.h"
#include "stats/power.h"

namespace bandit::cli {
namespace {

// Beyond this an experiment is out of reach, whatever the number says.
constexpr double kMostUnits = 1e15;

double Effect(const PowerOptions& options) {
  return options.relative ? options.effect * options.baseline : options.effect;
}

// The control's units to one of each other arm.
double TreatmentRatio(const PowerOptions& options) {
  const double others = options.arms - 1;
  const double control = options.control_share.value_or(1.0 / options.arms);
  return (1 - control) / others / control;
}

double Total(const PowerOptions& options, double control_units) {
  return control_units * (1 + TreatmentRatio(options) * (options.arms - 1));
}

// Units of the control. Rates at the fixed horizon by Fleiss's formula, means
// by the t test's own power.
double FixedUnits(const PowerOptions& options, double alpha) {
  const stats::PowerPlan plan{.test = {.alpha = alpha},
                              .power = options.power,
                              .treatment_ratio = TreatmentRatio(options)};
  const double left = 1 - options.correlation * options.correlation;
  if (options.deviation.has_value()) {
    return stats::UnitsForMeansByT(
        *options.deviation * *options.deviation * left, Effect(options), plan);
  }
  return left * stats::UnitsForProportions(
                    options.baseline, options.baseline + Effect(options), plan);
}

// Of the difference, with so many units of the control.
double StandardError(const PowerOptions& options, double units) {
  const double left = 1 - options.correlation * options.correlation;
  double control = 0, treatment = 0;
  if (options.deviation.has_value()) {
    control = treatment = *options.deviation * *options.deviation;
  } else {
    const double other = options.baseline + Effect(options);
    control = options.baseline * (1 - options.baseline);
    treatment = other * (1 - other);
  }
  return std::sqrt(left * (control + treatment / TreatmentRatio(options)) /
                   units);
}

// Whether so many units of the control show the effect with the wanted power
// when one looks at any time. A lower bound: it may show earlier.
bool AnytimeSuffices(const PowerOptions& options, double alpha, double units) {
  const double n = units * (1 + TreatmentRatio(options));
  const double critical =
      stats::AsymptoticMultiplier(n, {.alpha = alpha, .planned = n});
  return stats::Power(Effect(options), StandardError(options, units),
                      critical) >= options.power;
}

std::string WhyWrong(const PowerOptions& options) {
  const double effect = Effect(options);
  const double other = options.baseline + effect;
  if (!(options.alpha > 0 && options.alpha < 0.5)) {
    return fmt::format("--alpha {} is outside (0, 0.5)", options.alpha);
  }
  if (!(options.power > options.alpha && options.power < 1)) {
    return fmt::format("--power {} is outside ({}, 1)", options.power,
                       options.alpha);
  }
  if (effect == 0 || !std::isfinite(effect)) {
    return "--mde must not be 0: no experiment finds that";
  }
  if (options.deviation.has_value()) {
    if (!(*options.deviation > 0)) return "--sd must be above 0";
  } else if (!(options.baseline >= 0 && options.baseline <= 1 && other >= 0 &&
               other <= 1)) {
    return fmt::format(
        "a rate of {} that becomes {} is outside [0, 1]; for a metric that is "
        "no rate give --sd",
        options.baseline, other);
  }
  if (options.arms < 2 || options.arms > 64) {
    return fmt::format("--arms {} is outside [2, 64]", options.arms);
  }
  if (options.control_share.has_value() &&
      !(*options.control_share > 0 && *options.control_share < 1)) {
    return fmt::format("--control-share {} is outside (0, 1)",
                       *options.control_share);
  }
  if (!(std::abs(options.correlation) < 1)) {
    return fmt::format("--correlation {} is outside (-1, 1)",
                       options.correlation);
  }
  if (options.per_day.has_value() && !(*options.per_day > 0)) {
    return "--per-day must be above 0";
  }
  return "";
}

std::string Days(const PowerOptions& options, double units) {
  if (!options.per_day.has_value()) return "";
  return fmt::format(", {:.1f} days at {:.10g} a day", units / *options.per_day,
                     *options.per_day);
}

std::string Text(const PowerOptions& options, const SampleSize& size) {
  std::string text = fmt::format(
      "to tell {:.4g} from {:.4g} with power {:.4g} at alpha {:.4g}{}:\n",
      options.baseline + Effect(options), options.baseline, options.power,
      options.alpha,
      options.arms > 2 ? fmt::format(", shared by {} arms", options.arms - 1)
                       : "");
  text += fmt::format("  one look at the end: {:.0f} units of all arms{}\n",
                      size.fixed, Days(options, size.fixed));
  text += fmt::format("  looking at any time: {:.0f} units of all arms{}\n",
                      size.anytime, Days(options, size.anytime));
  text += fmt::format(
      "put `report: {{alpha: {:.4g}, planned: {:.0f}}}` into the experiment's "
      "config\n",
      options.alpha, size.anytime);
  text +=
      "a unit is what is randomized; under a bandit count only those that the "
      "exploration floor assigns\n";
  return text;
}

}  // namespace

SampleSize PlanSize(const PowerOptions& options) {
  const double alpha = options.alpha / (options.arms - 1);
  double low = std::max(2.0, FixedUnits(options, alpha));
  SampleSize size{.fixed = std::ceil(Total(options, low)), .anytime = 0};
  double high = low;
  while (high < kMostUnits && !AnytimeSuffices(options, alpha, high)) {
    low = high;
    high *= 2;
  }
  // To a part in a million.
  for (int i = 0; i < 60 && high - low > 1e-6 * high; ++i) {
    const double middle = low + (high - low) / 2;
    (AnytimeSuffices(options, alpha, middle) ? high : low) = middle;
  }
  size.anytime = std::ceil(Total(options, high));
  return size;
}

Result Power(const PowerOptions& options, bool json) {
  if (const std::string why = WhyWrong(options); !why.empty()) {
    return {ExitCode::kInvalid, "", why + "\n"};
  }
  const SampleSize size = PlanSize(options);
  if (!json) return {ExitCode::kOk, Text(options, size), ""};
  google::protobuf::Struct plan;
  auto& fields = *plan.mutable_fields();
  fields["units_one_look"].set_number_value(size.fixed);
  fields["units_every_look"].set_number_value(size.anytime);
  if (options.per_day.has_value()) {
    fields["days_one_look"].set_number_value(size.fixed / *options.per_day);
    fields["days_every_look"].set_number_value(size.anytime / *options.per_day);
  }
  return {ExitCode::kOk, ToJson(plan), ""};
}

}  // namespace bandit::cli
