// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "fmt/format.h"
#include "router/config/checks.h"
#include "router/config/validate.h"

namespace bandit::config {

void ValidateRamp(const Path& path, const v1::ExperimentConfig& experiment,
                  Report* report) {
  const auto& stages = experiment.ramp();
  for (int i = 0; i < stages.size(); ++i) {
    const Path stage = path.Item(static_cast<size_t>(i), "");
    const Path share = stage.Field("share");
    if (report->Broken(stage) || report->Broken(share)) continue;
    if (i > 0 && stages[i].share() <= stages[i - 1].share() &&
        !report->Broken(
            path.Item(static_cast<size_t>(i - 1), "").Field("share"))) {
      report->FailValue(share, fmt::format("{}", stages[i].share()),
                        fmt::format("is not above the stage before, expected "
                                    "more than {}",
                                    stages[i - 1].share()));
    }
    if (i + 1 < stages.size() && !stages[i].has_lasts() &&
        !report->Broken(stage.Field("lasts"))) {
      report->Fail(stage, "has no lasts, expected one in all but the last");
    }
  }
}

}  // namespace bandit::config
