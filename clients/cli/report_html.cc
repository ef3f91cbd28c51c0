// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>
#include <vector>

#include "clients/cli/html_page.h"
#include "clients/cli/report_format.h"
#include "clients/cli/report_text.h"
#include "clients/cli/svg.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

std::string NextCard(const v1::Report& report) {
  std::string html =
      fmt::format("<div class=\"next {}\"><b>{}</b>\n",
                  v1::NextStep::Action_Name(report.next().action()),
                  Escaped(ActionWords(report.next())));
  for (const std::string& why : report.next().why()) {
    html += fmt::format("<p>{}</p>\n", Escaped(why));
  }
  return html + "</div>\n";
}

std::string Arms(const v1::Report& report) {
  std::vector<std::vector<std::string>> rows = {
      {"arm", "decisions", "share", "due", "P(best)", "expected loss", "p50 ms",
       "p95 ms", "p99 ms", "errors"}};
  std::vector<BarRow> bars;
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
    bars.push_back({.label = arm.name(),
                    .value = arm.share(),
                    .reference = arm.expected_share()});
  }
  return "<h2>Arms</h2>\n" + HtmlTable(rows) +
         "<p class=\"soft\">Share of the decisions; the mark is the share that "
         "the propensities gave.</p>\n" +
         BarPlot(bars);
}

std::string Guardrails(const v1::Report& report) {
  if (report.guardrails_size() == 0) return "";
  std::vector<std::vector<std::string>> rows = {
      {"arm", "rule", "action", "state", "found", "the last time"}};
  for (const v1::GuardrailReport& guardrail : report.guardrails()) {
    rows.push_back({guardrail.arm(), guardrail.rule(), guardrail.action(),
                    guardrail.broken() ? "broken" : "kept",
                    fmt::format("{}", guardrail.trips()), guardrail.reason()});
  }
  std::string html = "<h2>Guardrails</h2>\n";
  for (const v1::ArmReport& arm : report.arms()) {
    if (arm.state().empty() || arm.state() == "active") continue;
    html += fmt::format("<p><b>{}</b> is {}: {}</p>\n", Escaped(arm.name()),
                        arm.state(), Escaped(arm.state_reason()));
  }
  return html + HtmlTable(rows);
}

std::optional<stats::Interval> IntervalOf(bool present,
                                          const v1::Interval& interval) {
  if (!present) return std::nullopt;
  return stats::Interval{.low = interval.low(), .high = interval.high()};
}

ForestRow RowOf(const std::string& arm, const v1::Effect& effect, bool accent) {
  return {.label = arm,
          .value = effect.value(),
          .fixed = IntervalOf(effect.has_fixed(), effect.fixed()),
          .anytime = IntervalOf(effect.has_anytime(), effect.anytime()),
          .accent = accent};
}

std::string Metric(const v1::Report& report, const v1::MetricReport& metric) {
  std::string html =
      fmt::format("<h2>{} <span class=\"soft\">({})</span></h2>\n",
                  Escaped(metric.name()), Escaped(MetricWords(metric)));
  std::vector<std::vector<std::string>> rows = {
      {"arm", "n", "mean", "one look", "every look", "difference",
       "difference, every look", "lift", "lift, every look", "p"}};
  std::vector<ForestRow> means, lifts;
  for (const v1::ArmMetric& arm : metric.arms()) {
    const v1::Effect& mean = arm.mean();
    const v1::Effect& difference = arm.difference();
    const v1::Effect& lift = arm.lift();
    const std::string nothing(kNothing);
    rows.push_back(
        {arm.arm(), fmt::format("{}", arm.count()),
         mean.has_value() ? Number(mean.value()) : nothing,
         Range(mean.has_fixed(), mean.fixed()),
         Range(mean.has_anytime(), mean.anytime()),
         difference.has_value() ? Number(difference.value()) : nothing,
         Range(difference.has_anytime(), difference.anytime()),
         lift.has_value() ? SignedPercent(lift.value()) : nothing,
         PercentRange(lift.has_anytime(), lift.anytime()),
         difference.has_p_adjusted() ? PValue(difference.p_adjusted())
                                     : nothing});
    const bool accent = arm.arm() != report.control();
    if (mean.has_value()) means.push_back(RowOf(arm.arm(), mean, accent));
    if (lift.has_value()) lifts.push_back(RowOf(arm.arm(), lift, accent));
  }
  if (means.empty() || !WorthATable(metric)) {
    return html +
           fmt::format("<p class=\"soft\">{}.</p>\n", InsteadOfTable(metric));
  }
  html += HtmlTable(rows);
  html += "<p class=\"soft\">Mean by arm</p>\n" +
          ForestPlot(means, /*zero=*/false, 1, "");
  if (!lifts.empty()) {
    html += fmt::format("<p class=\"soft\">Lift against {}</p>\n",
                        Escaped(report.control())) +
            ForestPlot(lifts, /*zero=*/true, 100, " %");
  }
  for (const v1::ArmMetric& arm : metric.arms()) {
    if (!arm.adjusted().has_value()) continue;
    html += fmt::format(
        "<p>{}, adjusted for the covariate: difference {} ({} at every look), "
        "{:.0f} % less variance.</p>\n",
        Escaped(arm.arm()), Number(arm.adjusted().value()),
        Range(arm.adjusted().has_anytime(), arm.adjusted().anytime()),
        100 * arm.variance_reduction());
  }
  html += "<details><summary class=\"soft\">Methods</summary><ul>\n";
  for (const std::string& method : Methods(metric)) {
    html += fmt::format("<li>{}</li>\n", Escaped(method));
  }
  return html + "</ul></details>\n";
}

std::string Segment(const v1::Report& report,
                    const v1::SegmentReport& segment) {
  std::string html =
      fmt::format("<h2>{} by {} <span class=\"soft\">{}</span></h2>\n",
                  Escaped(report.reward_metric()), Escaped(segment.segment()),
                  Escaped(HeterogeneityWords(segment)));
  std::vector<std::vector<std::string>> rows = {
      {"value", "arm", "n", "mean", "one look", "difference", "one look", "p"}};
  std::vector<ForestRow> differences;
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
      if (!difference.has_value()) continue;
      differences.push_back(
          RowOf(value.value() + ", " + arm.arm(), difference, true));
    }
  }
  html += HtmlTable(rows);
  if (differences.empty()) return html;
  return html +
         fmt::format("<p class=\"soft\">Difference from {}</p>\n",
                     Escaped(report.control())) +
         ForestPlot(differences, /*zero=*/true, 1, "");
}

}  // namespace

std::string RenderReportHtml(const v1::Report& report) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n"
      "<title>{} - experiment report</title>\n<style>{}</style></head><body>\n"
      "<main>\n",
      Escaped(report.experiment()), PageStyle());
  html += fmt::format(
      "<h1>{}</h1>\n<p class=\"soft\">{} on {} · epoch {} · {} decisions · as "
      "of {} · bandit-router {}</p>\n",
      Escaped(report.experiment()), Escaped(report.policy()),
      Escaped(report.reward_metric()), report.epoch(), report.decisions(),
      TimeWords(report.as_of()), Escaped(report.router_version()));
  html += NextCard(report);
  html +=
      fmt::format("<p>Split: {}</p>\n", Escaped(SplitWords(report.split())));
  html += Arms(report);
  html += Guardrails(report);
  html +=
      "<p class=\"soft\">In the plots below the thick bar holds for one look "
      "that was planned, the thin one for all looks at once.</p>\n";
  for (const v1::MetricReport& metric : report.metrics()) {
    html += Metric(report, metric);
  }
  for (const v1::SegmentReport& segment : report.segments()) {
    html += Segment(report, segment);
  }
  html += "<h2>How to read this</h2>\n<ul>\n";
  for (const std::string& note : Notes(report)) {
    html += fmt::format("<li>{}</li>\n", Escaped(note));
  }
  return html + "</ul>\n</main></body></html>\n";
}

}  // namespace bandit::cli
