// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "fmt/format.h"
#include "policies/policy.h"
#include "router/config/checks.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

void ValidateArms(const Path& path, const std::vector<std::string>& backends,
                  const v1::ExperimentConfig& experiment, Report* report) {
  const auto& arms = experiment.arms();
  if (arms.empty()) return;  // Reported by the reader.
  if (static_cast<size_t>(arms.size()) > policies::kMaxArms) {
    report->Fail(path, fmt::format("has {} arms, expected at most {}",
                                   arms.size(), policies::kMaxArms));
  }
  const std::vector<Path> paths = ItemPaths(path, arms);
  CheckNames(paths, NamesOf(arms), report);
  double weights = 0;
  for (int i = 0; i < arms.size(); ++i) {
    weights += arms[i].weight();
    if (!report->Broken(Path().Field("backends"))) {
      CheckReference(paths[i].Field("backend"), arms[i].backend(), "backends",
                     backends, report);
    }
    const Path model = paths[i].Field("model");
    const v1::ModelOverrideConfig& override = arms[i].model();
    if (arms[i].has_model() && override.name().empty() &&
        override.version().empty() && !report->Broken(model) &&
        !report->Given(model.Field("name")) &&
        !report->Given(model.Field("version"))) {
      report->Fail(model, "is empty, expected name or version");
    }
  }
  if (weights <= 0) {
    report->Fail(path, "have weights that sum to 0, expected a positive sum");
  }
}

void ValidateMetrics(const Path& path, const v1::ExperimentConfig& experiment,
                     Report* report) {
  const std::vector<Path> paths = ItemPaths(path, experiment.metrics());
  CheckNames(paths, NamesOf(experiment.metrics()), report);
  for (size_t i = 0; i < paths.size(); ++i) {
    ValidateMetric(paths[i], experiment.metrics(static_cast<int>(i)), report);
  }
}

// The metric that the policy maximizes: declared or built in.
void ValidateReward(const Path& path, v1::ExperimentConfig* experiment,
                    Report* report) {
  std::vector<std::string> metrics = NamesOf(experiment->metrics());
  if (experiment->has_reward()) {
    for (const BuiltinMetric& metric : kBuiltinMetrics) {
      metrics.emplace_back(metric.name);
    }
    if (!report->Broken(path.Field("metrics"))) {
      CheckReference(path.Field("reward").Field("metric"),
                     experiment->reward().metric(), "metrics", metrics, report);
    }
  } else if (!metrics.empty()) {
    experiment->mutable_reward()->set_metric(metrics[0]);
  } else if (experiment->policy().name() == "fixed_split") {
    // It learns nothing: what every request has will do.
    experiment->mutable_reward()->set_metric("error");
  } else if (!report->Broken(path.Field("metrics")) &&
             !report->Broken(path.Field("reward"))) {
    report->Fail(path,
                 "has nothing to learn from, expected metrics, or a reward "
                 "that is a built-in metric");
  }
}

}  // namespace

void ValidateExperiment(const Path& path,
                        const std::vector<std::string>& backends,
                        v1::ExperimentConfig* experiment, Report* report) {
  const Path matches = path.Field("match");
  for (int i = 0; i < experiment->match_size(); ++i) {
    const Path item = matches.Item(i, "");
    ValidateMatch(report->Given(item) ? item : matches, experiment->match(i),
                  report);
  }
  CheckMetadataKey(path.Field("unit").Field("metadata"),
                   experiment->unit().metadata(), report);

  const Path arms = path.Field("arms");
  ValidateArms(arms, backends, *experiment, report);
  if (experiment->control().empty() && experiment->arms_size() > 0) {
    experiment->set_control(experiment->arms(0).name());
  } else if (!report->Broken(arms)) {
    CheckReference(path.Field("control"), experiment->control(), "arms",
                   NamesOf(experiment->arms()), report);
  }

  ValidateMetrics(path.Field("metrics"), *experiment, report);
  ValidateReward(path, experiment, report);
  const Path context = path.Field("context");
  if (experiment->has_context()) {
    ValidateContext(context, experiment->context(), report);
  }
  ValidatePolicy(path.Field("policy"),
                 static_cast<size_t>(experiment->arms_size()),
                 experiment->has_context() || report->Broken(context),
                 experiment->mutable_policy(), report);
  if (experiment->salt().empty()) experiment->set_salt(experiment->name());
}

}  // namespace bandit::config
