// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/sampler.h"

#include <limits>
#include <vector>

namespace bandit::dashboard {
namespace {

constexpr double kNsPerMs = 1e6;
constexpr std::array<double, 3> kQuantiles = {0.5, 0.95, 0.99};

// As the built-in metric `error` counts them.
uint64_t Errors(const learning::CallCounts& calls) {
  uint64_t good = calls.grpc_codes[0];
  for (const auto& [code, count] : calls.http_codes) {
    if (code < 400) good += count;
  }
  return calls.finished - good;
}

std::array<float, 3> LatencyMs(const stats::LogLinearHistogram& histogram) {
  std::array<float, 3> ms;
  for (size_t i = 0; i < ms.size(); ++i) {
    ms[i] =
        histogram.count() == 0
            ? std::numeric_limits<float>::quiet_NaN()
            : static_cast<float>(histogram.Quantile(kQuantiles[i]) / kNsPerMs);
  }
  return ms;
}

}  // namespace

void Sampler::Look(absl::Time now) {
  events_->OnDegraded(learner_->degraded(), now);
  // A clock that was set back must not stop the samples.
  if (now < due_ && due_ - now <= history_->interval()) return;
  due_ = now + history_->interval();
  const auto view = learner_->view();
  std::vector<History::Entry> entries;
  learner_->telemetry().Read([&](const learning::Totals& totals) {
    for (const learning::ExperimentView& experiment : view->experiments) {
      entries.push_back(EntryOf(experiment, totals, now));
    }
  });
  before_ = std::exchange(next_, {});
  history_->Add(std::move(entries));
}

History::Entry Sampler::EntryOf(const learning::ExperimentView& view,
                                const learning::Totals& totals,
                                absl::Time now) {
  History::Entry entry{.experiment = view.name,
                       .arms = {},
                       .metrics = {},
                       .point = {.time = now, .epoch = view.epoch}};
  for (const learning::ArmView& arm : view.arms) {
    entry.arms.push_back(arm.name);
    ArmPoint& point = entry.point.arms.emplace_back();
    point.probability = arm.probability;
    point.decisions = arm.decisions;
    point.reward_count = arm.reward_count;
    point.reward_mean = arm.reward_mean;
    const ArmKey key = {view.name, arm.name};
    const auto calls = totals.calls.find(key);
    if (calls == totals.calls.end()) {
      point.latency = LatencyMs({});
      continue;
    }
    point.finished = calls->second.finished;
    point.errors = Errors(calls->second);
    stats::LogLinearHistogram since = calls->second.latency;
    if (const auto before = before_.find(key); before != before_.end()) {
      since.Unmerge(before->second);
    }
    point.latency = LatencyMs(since);
    next_.emplace(key, calls->second.latency);
  }
  for (const learning::MetricView& metric : view.metrics) {
    entry.metrics.push_back(metric.name);
    OutcomePoint& point = entry.point.metrics.emplace_back();
    for (size_t i = 0; i < point.size(); ++i) {
      point[i] = metric.outcomes[i + 1];  // 0 is unused.
    }
  }
  return entry;
}

}  // namespace bandit::dashboard
