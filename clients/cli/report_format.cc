// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/report_format.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "absl/time/time.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

// "2.5 %" of 0.025: without noughts behind.
std::string Percent(double fraction) {
  return fmt::format("{:.3g} %", 100 * fraction);
}

void AddOnce(std::string line, std::vector<std::string>* lines) {
  if (std::find(lines->begin(), lines->end(), line) == lines->end()) {
    lines->push_back(std::move(line));
  }
}

void AddMethods(std::string_view what, const v1::Effect& effect,
                std::vector<std::string>* lines) {
  if (effect.fixed_method().empty() && effect.anytime_method().empty()) return;
  AddOnce(fmt::format("{}: {}; at every look: {}", what, effect.fixed_method(),
                      effect.anytime_method()),
          lines);
}

}  // namespace

std::string Number(double value) { return fmt::format("{:.4g}", value); }

std::string SignedPercent(double fraction) {
  return fmt::format("{:+.1f} %", 100 * fraction);
}

std::string Range(bool present, const v1::Interval& interval) {
  if (!present) return std::string(kNothing);
  return fmt::format("{} to {}", Number(interval.low()),
                     Number(interval.high()));
}

std::string PercentRange(bool present, const v1::Interval& interval) {
  if (!present) return std::string(kNothing);
  return fmt::format("{:+.1f} to {:+.1f} %", 100 * interval.low(),
                     100 * interval.high());
}

std::string PValue(double p) {
  return p < 1e-4 ? "< 0.0001" : fmt::format("{:.2g}", p);
}

std::string ActionWords(const v1::NextStep& next) {
  switch (next.action()) {
    case v1::NextStep::KEEP_GOING:
      return "KEEP GOING";
    case v1::NextStep::PROMOTE:
      return fmt::format("PROMOTE {}", next.arm());
    case v1::NextStep::ROLL_BACK:
      return "ROLL BACK";
    case v1::NextStep::INVESTIGATE:
      return "INVESTIGATE";
    default:
      return std::string(kNothing);
  }
}

std::string SplitWords(const v1::SplitCheck& split) {
  switch (split.verdict()) {
    case v1::SplitCheck::SOUND:
      return fmt::format("sound (p = {}; {})", PValue(split.p()),
                         split.method());
    case v1::SplitCheck::MISMATCH:
      return fmt::format(
          "MISMATCH: {} is {} by {:.1f} standard deviations (p {}; {})",
          split.worst_arm(), split.z() > 0 ? "over" : "under",
          std::abs(split.z()), PValue(split.p()), split.method());
    default:
      return "too few decisions to tell";
  }
}

std::string MetricWords(const v1::MetricReport& metric) {
  return fmt::format("{}{}, {} is better", metric.role(),
                     metric.binary() ? ", 0 or 1" : "",
                     metric.cost() ? "less" : "more");
}

std::string TimeWords(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC",
                          absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

std::string HeterogeneityWords(const v1::SegmentReport& segment) {
  const std::map<std::string, double> sorted(segment.heterogeneity().begin(),
                                             segment.heterogeneity().end());
  std::string text;
  for (const auto& [arm, p] : sorted) {
    text += fmt::format("; does the effect of {} differ by {}: p {}", arm,
                        segment.segment(), PValue(p));
  }
  return text;
}

std::string ArmWords(const v1::Report& report, const std::string& arm) {
  return arm == report.control() && arm != "control" ? arm + " (control)" : arm;
}

bool WorthATable(const v1::MetricReport& metric) {
  return std::any_of(metric.arms().begin(), metric.arms().end(),
                     [&](const v1::ArmMetric& arm) {
                       return arm.count() > 0 && (metric.role() != "built-in" ||
                                                  arm.mean().value() != 0);
                     });
}

std::string InsteadOfTable(const v1::MetricReport& metric) {
  const bool counted =
      std::any_of(metric.arms().begin(), metric.arms().end(),
                  [](const v1::ArmMetric& arm) { return arm.count() > 0; });
  return counted ? "0 in every arm" : "no values yet";
}

std::vector<std::string> Notes(const v1::Report& report) {
  const size_t compared =
      report.arms().empty() ? 0 : static_cast<size_t>(report.arms_size() - 1);
  std::vector<std::string> notes;
  notes.push_back(fmt::format(
      "intervals hold with probability {}; those at every look may be looked "
      "at as often as one likes, and are tightest at {} observations",
      Percent(1 - report.alpha()), Number(report.planned())));
  if (compared > 1) {
    notes.push_back(
        fmt::format("comparisons with {} share the other {} among {} arms",
                    report.control(), Percent(report.alpha()), compared));
  }
  notes.push_back(
      report.unit().empty()
          ? "every request is a unit of its own"
          : fmt::format("requests with the same {} are one unit: variances "
                        "come from 64 hash buckets of units",
                        report.unit()));
  if (report.adaptive()) {
    notes.emplace_back(
        "the arms' shares moved: rewards are weighted by the inverse of the "
        "probability with which their arm was drawn");
  }
  return notes;
}

std::vector<std::string> Methods(const v1::MetricReport& metric) {
  std::vector<std::string> lines;
  for (const v1::ArmMetric& arm : metric.arms()) {
    AddMethods("mean", arm.mean(), &lines);
    AddMethods("difference", arm.difference(), &lines);
    AddMethods("lift", arm.lift(), &lines);
    if (arm.has_adjusted()) AddMethods("adjusted", arm.adjusted(), &lines);
  }
  return lines;
}

}  // namespace bandit::cli
