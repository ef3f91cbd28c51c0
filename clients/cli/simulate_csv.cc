// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <string_view>

#include "clients/cli/csv.h"
#include "clients/cli/simulate.h"
#include "fmt/format.h"

namespace bandit::cli {

std::string RenderSimulationCsv(const v1::Simulation& simulation) {
  std::string text =
      "policy,configured,time_seconds,decisions,regret,regret_standard_error,"
      "best_share";
  for (const std::string& arm : simulation.arms()) {
    text += "," + CsvField("share_" + arm);
  }
  text += "\r\n";
  for (const v1::SimulatedPolicy& policy : simulation.policies()) {
    for (const v1::SimulatedMoment& moment : policy.moments()) {
      text += fmt::format("{},{},{:.12g},{},{},{},{}", CsvField(policy.label()),
                          policy.configured() ? 1 : 0,
                          static_cast<double>(moment.time().seconds()) +
                              1e-9 * moment.time().nanos(),
                          moment.decisions(), moment.regret(),
                          moment.regret_standard_error(), moment.best_share());
      for (const double share : moment.shares()) {
        text += fmt::format(",{}", share);
      }
      text += "\r\n";
    }
  }
  return text;
}

}  // namespace bandit::cli
