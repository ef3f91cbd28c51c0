// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/world.h"

#include <algorithm>

#include "absl/algorithm/container.h"

namespace bandit::simulation {

using experiment::Metric;
using experiment::MetricSource;

std::vector<Part> PartsOf(const experiment::Experiment& experiment) {
  std::vector<Part> parts;
  for (const experiment::RewardPart& part : experiment.reward_parts) {
    parts.push_back(
        {.source = part.source, .metric = part.metric, .weight = part.weight});
  }
  if (parts.empty()) {
    parts.push_back(
        {.source = experiment.metrics[experiment.reward_metric].source,
         .metric = experiment.reward_metric});
  }
  return parts;
}

World::World(const v1::World& described,
             const experiment::Experiment& experiment)
    : experiment_(&experiment),
      described_(described),
      parts_(PartsOf(experiment)),
      delay_(described.delay()) {
  const MetricSource reward =
      experiment.metrics[experiment.reward_metric].source;
  sign_ = experiment::IsMeasured(reward) ? -1 : 1;
  const std::vector<std::string> columns = experiment.features.ColumnNames();
  for (const experiment::Arm& arm : experiment.arms) {
    const auto from = absl::c_find_if(
        described.arms(),
        [&](const v1::WorldArm& other) { return other.name() == arm.name; });
    Arm& to = arms_.emplace_back();
    to.values.resize(experiment.metrics.size());
    to.latency = TimeModel(from->latency());
    to.error = from->error();
    to.response_bytes = from->response_bytes();
    for (const Part& part : parts_) {
      if (part.source != MetricSource::kFeedback) continue;
      const Metric& metric = experiment.metrics[part.metric];
      const v1::WorldMetric& values =
          from->has_reward() ? from->reward() : from->metrics().at(metric.name);
      const ValueModel& model =
          to.values[part.metric].emplace(values, metric, columns);
      constant_ &= model.constant();
      contextual_ |= model.contextual();
    }
  }
}

double World::PartValue(const Part& part, size_t arm, double seconds,
                        absl::Span<const float> x) const {
  const Arm& at = arms_[arm];
  const experiment::Arm& configured = experiment_->arms[arm];
  // A request that fails has no response.
  const double bytes = (1 - at.error) * static_cast<double>(at.response_bytes);
  switch (part.source) {
    case MetricSource::kFeedback: {
      const double mean = at.values[part.metric]->Mean(seconds, x);
      const auto& otherwise = experiment_->metrics[part.metric].default_value;
      return otherwise.has_value()
                 ? (1 - at.error) * mean + at.error * *otherwise
                 : mean;
    }
    case MetricSource::kLatencyMs:
    case MetricSource::kTtfbMs:
      return 1e3 * at.latency.Mean();
    case MetricSource::kError:
      return at.error;
    case MetricSource::kResponseBytes:
      return bytes;
    case MetricSource::kCost:
      return configured.cost + configured.cost_per_byte * bytes;
    case MetricSource::kWeighted:
      break;
  }
  return 0;
}

void World::Values(double seconds, absl::Span<const float> x,
                   absl::Span<double> values) const {
  for (size_t a = 0; a < arms_.size(); ++a) {
    values[a] = 0;
    for (const Part& part : parts_) {
      values[a] += part.weight * PartValue(part, a, seconds, x);
    }
  }
}

}  // namespace bandit::simulation
