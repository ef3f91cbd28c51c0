// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/cli/html_page.h"
#include "clients/cli/line_plot.h"
#include "clients/cli/report_format.h"
#include "clients/cli/simulate.h"
#include "clients/cli/svg.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

double ToSeconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + 1e-9 * duration.nanos();
}

struct TimeUnit {
  double seconds = 1;
  std::string_view name = "seconds";
};

// In which a run of this length has a readable number.
TimeUnit UnitFor(double seconds) {
  if (seconds > 3 * 86400.0) return {86400, "days"};
  if (seconds > 3 * 3600.0) return {3600, "hours"};
  if (seconds > 3 * 60.0) return {60, "minutes"};
  return {};
}

// One line a policy; `value` of a moment.
template <typename Value, typename Band>
std::vector<PlotLine> ByPolicy(const v1::Simulation& simulation,
                               const TimeUnit& unit, Value value, Band band) {
  std::vector<PlotLine> lines;
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    PlotLine& line = lines.emplace_back();
    line.label = PolicyLabel(policy);
    line.colour = lines.size() - 1;
    for (const v1::SimulatedMoment& moment : policy.moments()) {
      line.points.push_back({.x = ToSeconds(moment.time()) / unit.seconds,
                             .y = value(moment),
                             .band = band(moment)});
    }
  }
  return lines;
}

std::string Shares(const v1::Simulation& simulation,
                   const v1::SimulatedPolicy& policy, const TimeUnit& unit) {
  std::vector<PlotLine> lines;
  for (int a = 0; a < simulation.arms_size(); ++a) {
    PlotLine& line = lines.emplace_back();
    line.label = simulation.arms(a);
    line.colour = lines.size() - 1;
    for (const v1::SimulatedMoment& moment : policy.moments()) {
      line.points.push_back({.x = ToSeconds(moment.time()) / unit.seconds,
                             .y = moment.shares(a)});
    }
  }
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n",
                     Escaped(PolicyLabel(policy)),
                     LinePlot(lines, std::string(unit.name), 100, " %"));
}

// Of all, and of those that learn alone, which a split leaves no room for.
std::string Regret(const v1::Simulation& simulation, const TimeUnit& unit) {
  std::vector<PlotLine> lines = ByPolicy(
      simulation, unit, [](const auto& moment) { return moment.regret(); },
      [](const auto& moment) { return 2 * moment.regret_standard_error(); });
  std::string html =
      "<h2>Regret</h2>\n<p class=\"soft\">What the decisions so far gave less "
      "than the best arm would have; the band is two standard errors.</p>\n" +
      LinePlot(lines, std::string(unit.name), 1, "");
  std::vector<PlotLine> learn;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (simulation.policies(static_cast<int>(i)).policy() != "fixed_split") {
      learn.push_back(std::move(lines[i]));
    }
  }
  if (learn.empty()) return html;
  return html + "<p class=\"soft\">Of those that learn:</p>\n" +
         LinePlot(learn, std::string(unit.name), 1, "");
}

std::string Percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

std::string Summary(const v1::Simulation& simulation) {
  std::vector<std::vector<std::string>> rows = {
      {"policy", "regret at the end", "standard error", "best arm",
       "in the last tenth", "90 % after", "floor"}};
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    const v1::SimulatedMoment& end = policy.moments(policy.moments_size() - 1);
    rows.push_back({PolicyLabel(policy), Number(end.regret()),
                    simulation.runs() > 1 ? Number(end.regret_standard_error())
                                          : std::string(kNothing),
                    Percent(policy.best_share()),
                    Percent(policy.final_best_share()),
                    policy.has_mostly_best_after()
                        ? LengthWords(policy.mostly_best_after())
                        : std::string(kNothing),
                    fmt::format("{}", policy.floor())});
  }
  return HtmlTable(rows);
}

std::string Learned(const v1::Simulation& simulation) {
  std::vector<std::vector<std::string>> rows = {{"arm", "true mean"}};
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    rows[0].push_back(PolicyLabel(policy));
  }
  for (int a = 0; a < simulation.arms_size(); ++a) {
    std::vector<std::string>& row = rows.emplace_back();
    row = {simulation.arms(a), Number(simulation.true_means(a))};
    for (const v1::SimulatedPolicy& policy : simulation.policies()) {
      row.push_back(policy.found(a) > 0 ? Number(policy.estimates(a))
                                        : std::string(kNothing));
    }
  }
  return HtmlTable(rows);
}

}  // namespace

std::string RenderSimulationHtml(const v1::Simulation& simulation) {
  const v1::SimulatedPolicy& first = simulation.policies(0);
  const TimeUnit unit =
      UnitFor(ToSeconds(first.moments(first.moments_size() - 1).time()));
  const std::string time(unit.name);
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n"
      "<title>{0} - "
      "simulation</title>\n<style>{1}</style></head><body>\n<main>\n"
      "<h1>{0}</h1>\n<p class=\"soft\">A simulation: {2}</p>\n",
      Escaped(simulation.experiment()), PageStyle(),
      Escaped(SettingWords(simulation)));
  for (const std::string& note : simulation.notes()) {
    html += fmt::format("<div class=\"next\">{}</div>\n", Escaped(note));
  }
  html += Summary(simulation);
  html += Regret(simulation, unit);
  html += "<h2>Share of the best arm</h2>\n";
  html += LinePlot(ByPolicy(
                       simulation, unit,
                       [](const auto& moment) { return moment.best_share(); },
                       [](const auto&) { return 0.0; }),
                   time, 100, " %");
  html += "<h2>Share of each arm</h2>\n";
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    html += Shares(simulation, policy, unit);
  }
  html +=
      "<h2>What was learned</h2>\n<p class=\"soft\">Mean of each arm, at "
      "the end.</p>\n" +
      Learned(simulation);
  for (const std::string& why : simulation.left_out()) {
    html += fmt::format("<p class=\"soft\">Left out {}</p>\n", Escaped(why));
  }
  return html + "</main></body></html>\n";
}

}  // namespace bandit::cli
