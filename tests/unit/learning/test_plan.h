// SPDX-License-Identifier: Apache-2.0
// Plans made by hand, and a policy that tells what it was given.
#ifndef BANDIT_TESTS_UNIT_LEARNING_TEST_PLAN_H_
#define BANDIT_TESTS_UNIT_LEARNING_TEST_PLAN_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "router/experiment/plan.h"

namespace bandit::testing {

class UniformModel : public policies::Model {
 public:
  UniformModel() : Model(/*floor=*/0) {}

 private:
  void Weights(absl::Span<const float>, policies::ArmSet eligible,
               absl::Span<double> w) const override {
    for (size_t i = 0; i < w.size(); ++i) {
      w[i] = policies::Contains(eligible, i) ? 1 : 0;
    }
  }
};

// Prepares uniform models and keeps what it saw.
class RecordingPolicy : public policies::Policy {
 public:
  struct Call {
    std::vector<double> counts, means;
    bool had_previous = false;
    size_t fresh = 0;
    std::vector<double> response;  // Of arm 0.
    double first_fresh = 0;
  };

  absl::StatusOr<std::shared_ptr<const policies::Model>> Prepare(
      const policies::PrepareInput& input) const override {
    Call& call = calls.emplace_back();
    for (const policies::ArmStatistics& arm : input.arms) {
      call.counts.push_back(arm.count());
      call.means.push_back(arm.mean());
    }
    const auto response = input.arms[0].response();
    call.response.assign(response.begin(), response.end());
    call.had_previous = input.previous != nullptr;
    call.fresh = input.fresh.size();
    if (!input.fresh.empty()) {
      call.first_fresh = input.fresh[0].observation.reward;
    }
    if (!error.ok()) return error;
    return std::make_shared<const UniformModel>();
  }

  mutable std::vector<Call> calls;
  absl::Status error;
};

inline experiment::Metric Click(absl::Duration window = absl::Seconds(10)) {
  return {.name = "click",
          .source = experiment::MetricSource::kFeedback,
          .kind = policies::RewardKind::kBinary,
          .window = window,
          .default_value = 0,
          .min = {},
          .max = {}};
}

inline experiment::Metric Rating(absl::Duration window = absl::Seconds(20)) {
  return {.name = "rating",
          .source = experiment::MetricSource::kFeedback,
          .kind = policies::RewardKind::kContinuous,
          .window = window,
          .default_value = {},
          .min = -5,
          .max = 5};
}

inline experiment::Metric Latency() {
  return {.name = "latency_ms",
          .source = experiment::MetricSource::kLatencyMs,
          .kind = policies::RewardKind::kContinuous,
          .window = absl::Hours(1),
          .default_value = {},
          .min = {},
          .max = {}};
}

struct ExperimentSpec {
  std::string name = "ranker";
  uint32_t epoch = 1;
  std::vector<std::string> arms = {"control", "candidate"};
  std::vector<experiment::Metric> metrics = {Click()};
  size_t reward_metric = 0;
  // Numbers beside the intercept; 0: no context.
  int features = 0;
  absl::Duration slice = absl::Seconds(1);
  std::shared_ptr<const policies::Policy> policy =
      std::make_shared<RecordingPolicy>();
  std::string policy_name = "thompson";
  std::vector<experiment::Guardrail> guardrails = {};
};

// "error below 0.02"
inline experiment::Guardrail ErrorRule(
    guardrails::Action action = guardrails::Action::kEject) {
  return {.rule = {.name = "error below 0.02",
                   .metric = "error",
                   .bound = 0.02,
                   .action = action},
          .source = experiment::MetricSource::kError,
          .metric = 0};
}

inline experiment::Experiment MakeExperiment(const ExperimentSpec& spec) {
  experiment::Experiment e;
  e.name = spec.name;
  e.id = experiment::ExperimentId(spec.name);
  e.epoch = spec.epoch;
  e.salt = spec.name;
  for (const std::string& name : spec.arms) {
    e.arms.push_back({.name = name, .backend = 0, .model = {}});
  }
  e.metrics = spec.metrics;
  e.reward_metric = spec.reward_metric;
  if (spec.features > 0) {
    v1::ContextConfig context;
    for (int i = 0; i < spec.features; ++i) {
      v1::FeatureConfig* feature = context.add_features();
      feature->set_name("f" + std::to_string(i));
      feature->set_metadata("x-f" + std::to_string(i));
      feature->set_scale(1);
    }
    e.features = experiment::FeatureEncoder(context);
  }
  e.slice = spec.slice;
  e.policy_name = spec.policy_name;
  e.policy = spec.policy;
  e.guardrails = spec.guardrails;
  return e;
}

inline std::shared_ptr<const experiment::Plan> MakePlan(
    const std::vector<ExperimentSpec>& specs,
    std::optional<experiment::Join> join = std::nullopt) {
  auto plan = std::make_shared<experiment::Plan>();
  plan->backends.push_back({.name = "backend", .config = {}});
  for (const ExperimentSpec& spec : specs) {
    plan->experiments.push_back(MakeExperiment(spec));
  }
  plan->join = std::move(join);
  return plan;
}

inline experiment::Join JoinByRequestId(
    absl::Duration window = absl::Minutes(30)) {
  return {.metadata = "x-request-id", .window = window, .memory = 1 << 20};
}

// A decision of the plan's experiment `e`.
inline experiment::Decision MakeDecision(const experiment::Plan& plan, size_t e,
                                         uint32_t arm, int64_t time_ms,
                                         uint64_t id, double propensity = 0.5,
                                         std::vector<float> x = {}) {
  experiment::Decision decision;
  decision.experiment = plan.experiments[e].id;
  decision.epoch = plan.experiments[e].epoch;
  decision.arm = arm;
  decision.propensity = propensity;
  decision.time_ms = time_ms;
  decision.id = id;
  decision.unit = id;
  decision.features.assign(x.begin(), x.end());
  return decision;
}

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_LEARNING_TEST_PLAN_H_
