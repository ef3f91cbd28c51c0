// SPDX-License-Identifier: Apache-2.0
#include "router/learning/worker_statistics.h"

#include <algorithm>
#include <utility>

#include "absl/types/span.h"
#include "router/learning/request_join.h"

namespace bandit::learning {
namespace {

using experiment::MetricSource;

constexpr double kNsPerMs = 1e6;

// The slice that holds `time_ms`; also right before 1970.
int64_t SliceIndex(int64_t time_ms, int64_t slice_ms) {
  const int64_t quotient = time_ms / slice_ms;
  return time_ms % slice_ms < 0 ? quotient - 1 : quotient;
}

void AddContext(absl::Span<const float> x, std::vector<double>* context) {
  const size_t d = x.size();
  if (context->empty()) context->resize(d * (d + 1) / 2 + d);
  double* out = context->data();
  for (size_t row = 0; row < d; ++row) {
    const double scale = x[row];
    for (size_t column = 0; column <= row; ++column) {
      *out++ += scale * x[column];
    }
  }
  for (size_t i = 0; i < d; ++i) *out++ += x[i];
}

double BuiltinValue(MetricSource source, const experiment::Arm& arm,
                    const CallRecord& call) {
  switch (source) {
    case MetricSource::kLatencyMs:
      return static_cast<double>(call.latency_ns) / kNsPerMs;
    case MetricSource::kTtfbMs:
      return static_cast<double>(call.ttfb_ns >= 0 ? call.ttfb_ns
                                                   : call.latency_ns) /
             kNsPerMs;
    case MetricSource::kError:
      return call.code == 0 || (call.code >= 100 && call.code < 400) ? 0 : 1;
    case MetricSource::kResponseBytes:
      return static_cast<double>(call.response_bytes);
    case MetricSource::kCost:
      return arm.cost +
             arm.cost_per_byte * static_cast<double>(call.response_bytes);
    case MetricSource::kFeedback:
    case MetricSource::kWeighted:
      break;
  }
  return 0;
}

}  // namespace

WorkerStatistics::WorkerStatistics(std::shared_ptr<const experiment::Plan> plan)
    : plan_(std::move(plan)) {
  for (const experiment::Experiment& e : plan_->experiments) {
    const bool has_default = std::any_of(
        e.metrics.begin(), e.metrics.end(),
        [](const auto& metric) { return metric.default_value.has_value(); });
    shapes_.push_back(
        {.slice_ms = std::max<int64_t>(1, absl::ToInt64Milliseconds(e.slice)),
         .arms = e.arms.size(),
         .layout = e.layout(),
         .keep_context = has_default && e.layout().dimension > 0,
         .has_default = has_default,
         .measures = MeasuresOf(e),
         .measures_reward = !e.metrics.empty() &&
                            IsMeasured(e.metrics[e.reward_metric].source),
         .reward = e.metrics.empty() ? MetricSource::kFeedback
                                     : e.metrics[e.reward_metric].source,
         .features = e.features.feature_count(),
         .guardrails = {},
         .overlay = e.overlay});
    for (const experiment::Guardrail& guardrail : e.guardrails) {
      shapes_.back().guardrails.push_back(
          {guardrail.source, guardrail.rule.counts_above});
    }
  }
  delta_ = Empty();
}

std::unique_ptr<WorkerDelta> WorkerStatistics::Empty() const {
  auto delta = std::make_unique<WorkerDelta>();
  delta->plan = plan_;
  if (plan_->join.has_value()) {
    delta->requests =
        RequestNotes(plan_->join->memory / RequestJoin::kHarvestShare);
  }
  delta->experiments.resize(shapes_.size());
  for (size_t i = 0; i < shapes_.size(); ++i) {
    const Shape& shape = shapes_[i];
    ExperimentDelta& experiment = delta->experiments[i];
    experiment.arms.resize(shape.arms);
    experiment.calls.resize(shape.arms);
    experiment.assignment.resize(shape.arms);
    experiment.missing_features.resize(shape.features);
    experiment.guardrails.resize(shape.guardrails.size() * shape.arms);
    if (shape.measures_reward) {
      experiment.builtin_reward.assign(
          shape.arms, std::vector<double>(shape.layout.size()));
    }
  }
  return delta;
}

SliceDecisions& WorkerStatistics::Slice(size_t experiment, int64_t time_ms) {
  const Shape& shape = shapes_[experiment];
  std::vector<SliceDecisions>& slices = delta_->experiments[experiment].slices;
  const int64_t index = SliceIndex(time_ms, shape.slice_ms);
  // Almost always the last one: a delta spans a tick.
  for (auto slice = slices.rbegin(); slice != slices.rend(); ++slice) {
    if (slice->slice == index) return *slice;
  }
  SliceDecisions& slice = slices.emplace_back();
  slice.slice = index;
  slice.arms.resize(shape.arms);
  return slice;
}

void WorkerStatistics::OnDecision(size_t experiment,
                                  const experiment::Decision& decision,
                                  absl::Span<const double> p) {
  const Shape& shape = shapes_[experiment];
  SliceDecisions::ArmDecisions& arm =
      Slice(experiment, decision.time_ms).arms[decision.arm];
  ++arm.count;
  arm.propensity_sum += decision.propensity;
  arm.inverse_propensity_sum += 1 / decision.propensity;
  if (shape.keep_context) AddContext(decision.features, &arm.context);
  if (shape.has_default) {
    arm.measures.resize(shape.measures.decision_size());
    AddDecision(shape.measures, decision, absl::MakeSpan(arm.measures));
  }
  if (!p.empty()) CountDraw(experiment, decision, p);
}

void WorkerStatistics::CountDraw(size_t experiment,
                                 const experiment::Decision& decision,
                                 absl::Span<const double> p) {
  std::vector<std::vector<double>>& arms =
      delta_->experiments[experiment].assignment;
  const size_t cell = UnitBucket(decision.unit) * assignment::kCell;
  for (size_t a = 0; a < p.size(); ++a) {
    if (!(p[a] > 0)) continue;
    arms[a].resize(assignment::kSize);
    arms[a][cell + assignment::kExpected] += p[a];
    arms[a][assignment::kVariance] += p[a] * (1 - p[a]);
  }
  arms[decision.arm].resize(assignment::kSize);
  arms[decision.arm][cell + assignment::kDrawn] += 1;
}

void WorkerStatistics::Measure(size_t experiment,
                               const experiment::Decision& decision,
                               const CallRecord& call) {
  const MeasureLayout& layout = shapes_[experiment].measures;
  std::vector<double>& arm =
      delta_->experiments[experiment].calls[decision.arm];
  arm.resize(CallsSize(layout));
  const experiment::Arm& from =
      plan_->experiments[experiment].arms[decision.arm];
  absl::Span<double> rest = absl::MakeSpan(arm);
  AddDecision(layout, decision, rest);
  rest.remove_prefix(layout.decision_size());
  for (const MetricSource source : kMeasuredCalls) {
    AddReward(layout, decision, BuiltinValue(source, from, call), rest);
    rest.remove_prefix(layout.reward_size());
  }
}

void WorkerStatistics::OnMissingFeature(size_t experiment, size_t feature) {
  ++delta_->experiments[experiment].missing_features[feature];
}

void WorkerStatistics::OnStart(size_t experiment, size_t arm) {
  ++delta_->experiments[experiment].arms[arm].started;
}

void WorkerStatistics::OnFinish(size_t experiment,
                                const experiment::Decision& decision,
                                const CallRecord& call) {
  ExperimentDelta& delta = delta_->experiments[experiment];
  delta.arms[decision.arm].Add(call);
  RecordOverhead(experiment, call);
  Measure(experiment, decision, call);
  const Shape& shape = shapes_[experiment];
  const experiment::Arm& from =
      plan_->experiments[experiment].arms[decision.arm];
  for (size_t r = 0; r < shape.guardrails.size(); ++r) {
    const Shape::Rule& rule = shape.guardrails[r];
    if (rule.source == MetricSource::kFeedback) continue;
    double value = BuiltinValue(rule.source, from, call);
    if (rule.counts_above.has_value()) value = value > *rule.counts_above;
    ExperimentDelta::RuleCounts& counts =
        delta.guardrails[r * shape.arms + decision.arm];
    counts.count += 1;
    counts.sum += value;
    counts.squares += value * value;
  }
  if (shape.measures_reward) {
    policies::Accumulate(shape.layout, /*center=*/0,
                         {.reward = BuiltinValue(shape.reward, from, call),
                          .propensity = decision.propensity,
                          .features = decision.features},
                         absl::MakeSpan(delta.builtin_reward[decision.arm]));
  }
}

void WorkerStatistics::OnUnmatchedStart() { ++delta_->unmatched.started; }

void WorkerStatistics::OnUnmatchedFinish(const CallRecord& call) {
  delta_->unmatched.Add(call);
  RecordOverhead(std::nullopt, call);
}

void WorkerStatistics::OnUncountedStart(size_t experiment,
                                        experiment::Uncounted why) {
  TrafficCounts& counts = traffic(experiment);
  ++counts.uncounted.started;
  ++counts.uncounted_why[static_cast<size_t>(why)];
}

void WorkerStatistics::OnUncountedFinish(size_t experiment,
                                         const CallRecord& call) {
  traffic(experiment).uncounted.Add(call);
  RecordOverhead(experiment, call);
}

void WorkerStatistics::RecordOverhead(std::optional<size_t> experiment,
                                      const CallRecord& call) {
  // Once a call, however many experiments it is in.
  if (experiment.has_value() && shapes_[*experiment].overlay) return;
  delta_->overhead.Record(
      static_cast<uint64_t>(std::max<int64_t>(call.overhead_ns, 0)));
}

void WorkerStatistics::OnFallback(size_t experiment, size_t from, size_t to) {
  ExperimentDelta& delta = delta_->experiments[experiment];
  // The start may have been harvested; sums of deltas come out right.
  --delta.arms[from].started;
  ++delta.arms[to].started;
  ++delta.traffic.fallbacks[{from, to}];
}

void WorkerStatistics::OnRetry(std::optional<size_t> experiment,
                               RetryReason reason) {
  RetryCounts& retries = experiment.has_value()
                             ? delta_->experiments[*experiment].traffic.retries
                             : delta_->load.retries;
  ++retries[static_cast<size_t>(reason)];
}

std::unique_ptr<WorkerDelta> WorkerStatistics::Take() {
  return std::exchange(delta_, Empty());
}

}  // namespace bandit::learning
