// SPDX-License-Identifier: Apache-2.0
// What reports are asked for: segments, the covariate, and the weighted reward.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "fmt/format.h"
#include "policies/policy.h"
#include "router/config/checks.h"
#include "router/config/nearest.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

void ValidateValues(const Path& path, const v1::SegmentConfig& segment,
                    Report* report) {
  if (static_cast<size_t>(segment.values_size()) > kMaxSegmentValues) {
    report->Fail(path.Field("values"),
                 fmt::format("has {} values, expected at most {}",
                             segment.values_size(), kMaxSegmentValues));
  }
  std::unordered_set<std::string> seen;
  for (int i = 0; i < segment.values_size(); ++i) {
    const std::string& value = segment.values(i);
    if (value.empty()) continue;  // Reported by the reader.
    const Path place = path.Field("values").Item(i, "");
    if (!IsMetadataValue(value)) {
      report->FailValue(place, value,
                        "cannot be the value of a header, expected visible "
                        "ASCII");
    } else if (!seen.insert(value).second) {
      report->FailValue(place, value,
                        "is given twice, expected each value once");
    }
  }
}

}  // namespace

void ValidateSegments(const Path& path, const v1::ExperimentConfig& experiment,
                      Report* report) {
  const Path segments = path.Field("segments");
  const std::vector<Path> paths = ItemPaths(segments, experiment.segments());
  CheckNames(paths, NamesOf(experiment.segments()), report);
  if (paths.size() > kMaxSegments) {
    report->Fail(segments, fmt::format("has {} segments, expected at most {}",
                                       paths.size(), kMaxSegments));
  }
  for (size_t i = 0; i < paths.size(); ++i) {
    const v1::SegmentConfig& segment = experiment.segments(static_cast<int>(i));
    CheckMetadataKey(paths[i].Field("metadata"), segment.metadata(), report);
    ValidateValues(paths[i], segment, report);
  }
  if (!experiment.has_covariate()) return;
  const Path covariate = path.Field("covariate");
  CheckMetadataKey(covariate.Field("metadata"),
                   experiment.covariate().metadata(), report);
  if (std::abs(experiment.covariate().missing()) > 1e30) {
    report->FailValue(covariate.Field("missing"),
                      fmt::format("{}", experiment.covariate().missing()),
                      "is too large, expected a value that a float holds");
  }
}

void ValidateWeights(const Path& path, const v1::ExperimentConfig& experiment,
                     const std::vector<std::string>& metrics, Report* report) {
  const Path reward = path.Field("reward");
  const v1::RewardConfig& config = experiment.reward();
  if (!config.metric().empty()) {
    report->Fail(reward.Field("weights"),
                 "is given beside metric, expected one of the two");
    return;
  }
  // What has no name was reported by the reader.
  if (std::find(metrics.begin(), metrics.end(), "") != metrics.end()) return;
  const std::map<std::string, double> weights(config.weights().begin(),
                                              config.weights().end());
  for (const auto& [name, weight] : weights) {
    const Path place = reward.Field("weights").Entry(name);
    if (report->Broken(place)) continue;
    if (std::find(metrics.begin(), metrics.end(), name) == metrics.end()) {
      report->Fail(place,
                   fmt::format("is not one of metrics, expected {}{}",
                               AnyOf(metrics), DidYouMean(name, metrics)));
    } else if (weight == 0 || std::abs(weight) > 1e12) {
      report->FailValue(place, fmt::format("{}", weight),
                        "is no weight, expected a number in [-1e12, 1e12] "
                        "that is not 0");
    }
  }
  const policies::PolicyInfo* policy =
      policies::FindPolicy(experiment.policy().name());
  if (policy != nullptr && policy->contextual) {
    report->FailValue(
        path.Field("policy").Field("name"), experiment.policy().name(),
        "learns from one metric's values and their contexts together, expected "
        "`reward.metric`, or a policy without context for `reward.weights`");
  }
}

}  // namespace bandit::config
