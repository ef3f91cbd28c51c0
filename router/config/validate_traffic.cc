// SPDX-License-Identifier: Apache-2.0
// How an experiment's requests are carried: retries, last resort, mirror.
#include <string>
#include <vector>

#include "fmt/format.h"
#include "router/config/checks.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

// `one_arm`: there is one, and not for want of others that could be read.
void ValidateRetry(const Path& path, bool one_arm, const v1::RetryConfig& retry,
                   Report* report) {
  if (!retry.fallback()) return;
  const Path fallback = path.Field("fallback");
  if (retry.attempts() < 2) {
    report->Fail(fallback, fmt::format("needs a second try, expected attempts "
                                       "of at least 2, not {}",
                                       retry.attempts()));
  }
  if (one_arm) {
    report->Fail(fallback, "needs another arm, expected two");
  }
}

}  // namespace

void ValidateTraffic(const Path& path, const std::vector<std::string>& backends,
                     v1::ExperimentConfig* experiment, Report* report) {
  const Path arms = path.Field("arms");
  if (experiment->has_retry()) {
    ValidateRetry(path.Field("retry"),
                  experiment->arms_size() == 1 && !report->Broken(arms) &&
                      !report->Broken(ItemPaths(arms, experiment->arms())[0]),
                  experiment->retry(), report);
  }
  if (experiment->last_resort().empty()) {
    experiment->set_last_resort(experiment->control());
  } else if (!report->Broken(arms)) {
    CheckReference(path.Field("last_resort"), experiment->last_resort(), "arms",
                   NamesOf(experiment->arms()), report);
  }
  if (!experiment->has_mirror()) return;
  const Path mirror = path.Field("mirror");
  if (!report->Broken(Path().Field("backends"))) {
    CheckReference(mirror.Field("backend"), experiment->mirror().backend(),
                   "backends", backends, report);
  }
  if (experiment->mirror().has_model()) {
    ValidateModel(mirror.Field("model"), experiment->mirror().model(),
                  TakesPredict(*experiment), report);
  }
}

}  // namespace bandit::config
