// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>
#include <vector>

#include "clients/cli/csv.h"
#include "clients/cli/report_text.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

// As many digits as bring the same double back.
std::string Cell(bool present, double value) {
  return present ? fmt::format("{}", value) : "";
}

void AddInterval(bool present, const v1::Interval& interval,
                 std::vector<std::string>* row) {
  row->push_back(Cell(present, interval.low()));
  row->push_back(Cell(present, interval.high()));
}

void AddEffect(const v1::Effect& effect, std::vector<std::string>* row) {
  row->push_back(Cell(effect.has_value(), effect.value()));
  AddInterval(effect.has_fixed(), effect.fixed(), row);
  AddInterval(effect.has_anytime(), effect.anytime(), row);
}

constexpr std::string_view kHeader =
    "experiment,epoch,as_of_unix,metric,role,cost,arm,control,count,rewards,"
    "mean,mean_fixed_low,mean_fixed_high,mean_anytime_low,mean_anytime_high,"
    "difference,difference_fixed_low,difference_fixed_high,"
    "difference_anytime_low,difference_anytime_high,"
    "lift,lift_fixed_low,lift_fixed_high,lift_anytime_low,lift_anytime_high,"
    "p_fixed,p_adjusted,probability_best,expected_loss,mean_method,"
    "mean_anytime_method,difference_method,difference_anytime_method\r\n";

const v1::ArmReport* FindArm(const v1::Report& report,
                             const std::string& name) {
  for (const v1::ArmReport& arm : report.arms()) {
    if (arm.name() == name) return &arm;
  }
  return nullptr;
}

std::string Line(const v1::Report& report, const v1::MetricReport& metric,
                 const v1::ArmMetric& arm) {
  std::vector<std::string> row = {CsvField(report.experiment()),
                                  fmt::format("{}", report.epoch()),
                                  fmt::format("{}", report.as_of().seconds()),
                                  CsvField(metric.name()),
                                  CsvField(metric.role()),
                                  metric.cost() ? "1" : "0",
                                  CsvField(arm.arm()),
                                  arm.arm() == report.control() ? "1" : "0",
                                  fmt::format("{}", arm.count()),
                                  fmt::format("{}", arm.rewards())};
  AddEffect(arm.mean(), &row);
  AddEffect(arm.difference(), &row);
  AddEffect(arm.lift(), &row);
  const v1::Effect& difference = arm.difference();
  row.push_back(Cell(difference.has_p_fixed(), difference.p_fixed()));
  row.push_back(Cell(difference.has_p_adjusted(), difference.p_adjusted()));
  // The posterior is of the reward metric.
  const v1::ArmReport* whole =
      metric.role() == "reward" ? FindArm(report, arm.arm()) : nullptr;
  row.push_back(Cell(whole != nullptr && whole->has_probability_best(),
                     whole != nullptr ? whole->probability_best() : 0));
  row.push_back(Cell(whole != nullptr && whole->has_expected_loss(),
                     whole != nullptr ? whole->expected_loss() : 0));
  row.push_back(CsvField(arm.mean().fixed_method()));
  row.push_back(CsvField(arm.mean().anytime_method()));
  row.push_back(CsvField(difference.fixed_method()));
  row.push_back(CsvField(difference.anytime_method()));
  return fmt::format("{}\r\n", fmt::join(row, ","));
}

}  // namespace

std::string RenderReportCsv(const v1::Report& report) {
  std::string text(kHeader);
  for (const v1::MetricReport& metric : report.metrics()) {
    for (const v1::ArmMetric& arm : metric.arms()) {
      text += Line(report, metric, arm);
    }
  }
  return text;
}

}  // namespace bandit::cli
