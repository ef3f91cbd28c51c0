// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "policies/policy.h"
#include "router/config/checks.h"
#include "router/config/scalar.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

constexpr std::string_view kPredictionService =
    "tensorflow.serving.PredictionService";

}  // namespace

bool TakesPredict(const v1::ExperimentConfig& experiment) {
  return std::any_of(experiment.match().begin(), experiment.match().end(),
                     [](const v1::MatchConfig& match) {
                       return match.service() == kPredictionService;
                     });
}

void ValidateModel(const Path& path, const v1::ModelOverrideConfig& model,
                   bool predict, Report* report) {
  const bool given =
      report->Given(path.Field("name")) || report->Given(path.Field("version"));
  if (!given && !report->Broken(path)) {
    report->Fail(path, "is empty, expected name or version");
  }
  const std::string& version = model.version();
  const std::optional<Whole> number = ParseWhole(version);
  const bool fits = number.has_value() && number->magnitude <= INT64_MAX;
  if (predict && !version.empty() && !fits) {
    report->FailValue(path.Field("version"), version,
                      fmt::format("is not a 64-bit whole number, which {} "
                                  "needs, expected one",
                                  kPredictionService));
  }
}

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
  bool known = true;
  for (int i = 0; i < arms.size(); ++i) {
    weights += arms[i].weight();
    known &= !report->Broken(paths[i]);
    if (!report->Broken(Path().Field("backends"))) {
      CheckReference(paths[i].Field("backend"), arms[i].backend(), "backends",
                     backends, report);
    }
    if (arms[i].has_model()) {
      ValidateModel(paths[i].Field("model"), arms[i].model(),
                    TakesPredict(experiment), report);
    }
  }
  if (known && weights <= 0) {
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
    if (report->Broken(path.Field("metrics"))) return;
    if (!experiment->reward().weights().empty()) {
      ValidateWeights(path, *experiment, metrics, report);
      return;
    }
    const Path metric = path.Field("reward").Field("metric");
    const std::string& name = experiment->reward().metric();
    if (name.empty()) {
      const Path reward = path.Field("reward");
      if (!report->Broken(metric) && !report->Broken(reward) &&
          !report->Broken(reward.Field("weights"))) {
        report->Fail(reward, "is empty, expected metric or weights");
      }
      return;
    }
    CheckReference(metric, name, "metrics", metrics, report);
    for (const v1::MetricConfig& declared : experiment->metrics()) {
      if (declared.name() != name || !declared.lower_is_better()) continue;
      report->FailValue(metric, name,
                        fmt::format("is better when it is lower, expected "
                                    "`reward: {{weights: {{{}: -1}}}}`",
                                    name));
    }
  } else if (!metrics.empty()) {
    experiment->mutable_reward()->set_metric(metrics[0]);
  } else if (experiment->policy().name() == "fixed_split") {
    // It learns nothing: what every request has will do.
    experiment->mutable_reward()->set_metric("error");
  } else if (!experiment->policy().name().empty() &&
             !report->Broken(path.Field("metrics"))) {
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

  ValidateOverlay(path, *experiment, report);
  ValidateTraffic(path, backends, experiment, report);
  ValidateRamp(path.Field("ramp"), *experiment, report);

  ValidateMetrics(path.Field("metrics"), *experiment, report);
  ValidateReward(path, experiment, report);
  ValidateGuardrails(path, *experiment, report);
  ValidateSegments(path, *experiment, report);
  const Path context = path.Field("context");
  if (experiment->has_context()) {
    ValidateContext(context, experiment->context(), report);
  }
  ValidatePolicy(
      path.Field("policy"), static_cast<size_t>(experiment->arms_size()),
      experiment->has_context(), experiment->mutable_policy(), report);
  if (experiment->salt().empty()) experiment->set_salt(experiment->name());
}

}  // namespace bandit::config
