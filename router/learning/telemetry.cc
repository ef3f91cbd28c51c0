// SPDX-License-Identifier: Apache-2.0
#include "router/learning/telemetry.h"

#include <algorithm>

namespace bandit::learning {
namespace {

uint64_t Nanoseconds(absl::Duration duration) {
  return static_cast<uint64_t>(
      std::max<int64_t>(0, absl::ToInt64Nanoseconds(duration)));
}

}  // namespace

void Telemetry::Declare(const experiment::Plan& plan) {
  absl::MutexLock lock(&mutex_);
  totals_.calls[{"", ""}];
  totals_.rewards[{"", ""}];
  for (const experiment::Backend& backend : plan.backends) {
    totals_.backends[backend.name];
  }
  for (const experiment::Experiment& e : plan.experiments) {
    totals_.traffic[e.name];
    for (const experiment::Arm& arm : e.arms) {
      totals_.calls[{e.name, arm.name}];
    }
    for (const experiment::Metric& metric : e.metrics) {
      if (metric.source == experiment::MetricSource::kFeedback) {
        totals_.rewards[{e.name, metric.name}];
      }
    }
    for (size_t i = 0; i < e.features.feature_count(); ++i) {
      totals_
          .missing_features[{e.name, std::string(e.features.feature_name(i))}];
    }
  }
}

void Telemetry::Count(const WorkerDelta& delta) {
  absl::MutexLock lock(&mutex_);
  totals_.calls[{"", ""}].Merge(delta.unmatched);
  totals_.overhead.Merge(delta.overhead);
  totals_.connections.Merge(delta.connections);
  for (const auto& [name, change] : delta.backends) {
    totals_.backends[name].Merge(change);
  }
  totals_.load.Merge(delta.load);
  for (size_t i = 0; i < delta.experiments.size(); ++i) {
    const experiment::Experiment& e = delta.plan->experiments[i];
    const ExperimentDelta& counts = delta.experiments[i];
    CountTraffic(e, counts.traffic);
    for (size_t a = 0; a < counts.arms.size(); ++a) {
      if (counts.arms[a].started == 0 && counts.arms[a].finished == 0) continue;
      totals_.calls[{e.name, e.arms[a].name}].Merge(counts.arms[a]);
    }
    for (size_t f = 0; f < counts.missing_features.size(); ++f) {
      if (counts.missing_features[f] == 0) continue;
      totals_.missing_features[{e.name,
                                std::string(e.features.feature_name(f))}] +=
          counts.missing_features[f];
    }
  }
}

void Telemetry::CountTraffic(const experiment::Experiment& experiment,
                             const TrafficCounts& counts) {
  TrafficCounts& total = totals_.traffic[experiment.name];
  total.Merge(counts);
  if (counts.uncounted.started > 0 || counts.uncounted.finished > 0) {
    totals_.calls[{experiment.name, ""}].Merge(counts.uncounted);
  }
  // Indices are the plan's, which may change.
  total.fallbacks.clear();
  for (const auto& [arms, count] : counts.fallbacks) {
    totals_.fallbacks[{experiment.name, experiment.arms[arms.first].name,
                       experiment.arms[arms.second].name}] += count;
  }
}

void Telemetry::CountReward(const std::string& experiment,
                            const std::string& metric, Outcome outcome,
                            uint64_t times) {
  absl::MutexLock lock(&mutex_);
  totals_.rewards[{experiment, metric}][Index(outcome)] += times;
}

void Telemetry::CountTick(absl::Duration took) {
  absl::MutexLock lock(&mutex_);
  totals_.ticks.Record(Nanoseconds(took));
}

void Telemetry::CountCommit(absl::Duration took, bool failed) {
  absl::MutexLock lock(&mutex_);
  totals_.commits.Record(Nanoseconds(took));
  if (failed) ++totals_.failed_commits;
}

void Telemetry::SetJoin(const JoinTotals& join) {
  absl::MutexLock lock(&mutex_);
  totals_.join = join;
}

void Telemetry::Read(absl::FunctionRef<void(const Totals&)> reader) const {
  absl::MutexLock lock(&mutex_);
  reader(totals_);
}

}  // namespace bandit::learning
