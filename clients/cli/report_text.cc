// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/report_text.h"

#include <vector>

#include "clients/cli/report_format.h"
#include "clients/cli/table.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string ArmTable(const v1::Report& report) {
  Rows rows = {{"arm", "decisions", "share", "due", "P(best)", "expected loss",
                "p50 ms", "p95 ms", "p99 ms", "errors"}};
  for (const v1::ArmReport& arm : report.arms()) {
    std::vector<std::string>& row = rows.emplace_back();
    row = {ArmWords(report, arm.name()),
           fmt::format("{}", arm.decisions()),
           fmt::format("{:.1f} %", 100 * arm.share()),
           fmt::format("{:.1f} %", 100 * arm.expected_share()),
           arm.has_probability_best()
               ? fmt::format("{:.4f}", arm.probability_best())
               : std::string(kNothing),
           arm.has_expected_loss() ? Number(arm.expected_loss())
                                   : std::string(kNothing)};
    for (int i = 0; i < 3; ++i) {
      row.push_back(i < arm.latency_size()
                        ? fmt::format("{:.1f}", arm.latency(i).value())
                        : std::string(kNothing));
    }
    row.push_back(fmt::format("{}", arm.errors()));
  }
  return RenderColumns(rows, 1);
}

std::string MetricTable(const v1::MetricReport& metric) {
  Rows rows = {{"arm", "n", "mean", "one look", "every look", "lift",
                "lift, every look", "p"}};
  for (const v1::ArmMetric& arm : metric.arms()) {
    const v1::Effect& mean = arm.mean();
    const bool compared = arm.has_lift();
    rows.push_back(
        {arm.arm(), fmt::format("{}", arm.count()),
         mean.has_value() ? Number(mean.value()) : std::string(kNothing),
         Range(mean.has_fixed(), mean.fixed()),
         Range(mean.has_anytime(), mean.anytime()),
         compared && arm.lift().has_value() ? SignedPercent(arm.lift().value())
                                            : std::string(kNothing),
         PercentRange(arm.lift().has_anytime(), arm.lift().anytime()),
         arm.difference().has_p_adjusted()
             ? PValue(arm.difference().p_adjusted())
             : std::string(kNothing)});
  }
  return RenderColumns(rows, 1);
}

std::string AdjustedLines(const v1::MetricReport& metric) {
  std::string text;
  for (const v1::ArmMetric& arm : metric.arms()) {
    if (!arm.adjusted().has_value()) continue;
    text += fmt::format(
        "    {} by covariate: difference {} (every look: {}), {:.0f} % less "
        "variance\n",
        arm.arm(), Number(arm.adjusted().value()),
        Range(arm.adjusted().has_anytime(), arm.adjusted().anytime()),
        100 * arm.variance_reduction());
  }
  return text;
}

std::string SegmentTable(const v1::SegmentReport& segment) {
  Rows rows = {
      {"value", "arm", "n", "mean", "one look", "difference", "one look", "p"}};
  for (const v1::SegmentValue& value : segment.values()) {
    for (const v1::ArmMetric& arm : value.arms()) {
      const std::string nothing(kNothing);
      const v1::Effect& difference = arm.difference();
      rows.push_back(
          {value.value(), arm.arm(), fmt::format("{}", arm.count()),
           arm.mean().has_value() ? Number(arm.mean().value()) : nothing,
           Range(arm.mean().has_fixed(), arm.mean().fixed()),
           difference.has_value() ? Number(difference.value()) : nothing,
           Range(difference.has_fixed(), difference.fixed()),
           difference.has_p_adjusted() ? PValue(difference.p_adjusted())
                                       : nothing});
    }
  }
  return RenderColumns(rows, 2);
}

std::string GuardrailLines(const v1::Report& report) {
  std::string text;
  for (const v1::ArmReport& arm : report.arms()) {
    if (arm.state().empty() || arm.state() == "active") continue;
    text +=
        fmt::format("  {} is {}: {}\n", arm.name(),
                    arm.state() == "probation" ? "on probation" : arm.state(),
                    arm.state_reason());
  }
  for (const v1::GuardrailReport& guardrail : report.guardrails()) {
    if (guardrail.trips() == 0) continue;
    text += fmt::format(
        "  {}: {} ({}), found {} times{}; the last time {}\n", guardrail.arm(),
        guardrail.rule(), guardrail.action(), guardrail.trips(),
        guardrail.broken() ? ", now, too" : "", guardrail.reason());
  }
  if (report.guardrails_size() > 0 && text.empty()) {
    text = fmt::format("  {} rules, all kept\n", report.guardrails_size());
  }
  return text.empty() ? "" : "\nguardrails\n" + text;
}

}  // namespace

std::string RenderReport(const v1::Report& report) {
  std::string text = fmt::format(
      "{}: {} on {}, epoch {}, {} decisions, as of {}\n", report.experiment(),
      report.policy(), report.reward_metric(), report.epoch(),
      report.decisions(), TimeWords(report.as_of()));
  text += fmt::format("\nnext: {}\n", ActionWords(report.next()));
  for (const std::string& why : report.next().why()) {
    text += fmt::format("  {}\n", why);
  }
  text += fmt::format("split: {}\n\n", SplitWords(report.split()));
  text += ArmTable(report);
  text += GuardrailLines(report);
  for (const v1::MetricReport& metric : report.metrics()) {
    if (!WorthATable(metric)) {
      text += fmt::format("\n{} ({}): {}\n", metric.name(), MetricWords(metric),
                          InsteadOfTable(metric));
      continue;
    }
    text += fmt::format("\n{} ({})\n", metric.name(), MetricWords(metric));
    text += MetricTable(metric);
    text += AdjustedLines(metric);
    // Those of the others differ little; --json and --html have them.
    if (metric.role() != "reward") continue;
    for (const std::string& method : Methods(metric)) {
      text += fmt::format("    {}\n", method);
    }
  }
  for (const v1::SegmentReport& segment : report.segments()) {
    text += fmt::format("\nsegment {} ({}){}\n", segment.segment(),
                        report.reward_metric(), HeterogeneityWords(segment));
    text += SegmentTable(segment);
  }
  text += "\n";
  for (const std::string& note : Notes(report)) {
    text += fmt::format("* {}\n", note);
  }
  return text;
}

}  // namespace bandit::cli
