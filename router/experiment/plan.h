// SPDX-License-Identifier: Apache-2.0
// The config, compiled: names resolved to indices, policies made, routes
// indexed. Immutable; a reload makes a new one.
#ifndef BANDIT_ROUTER_EXPERIMENT_PLAN_H_
#define BANDIT_ROUTER_EXPERIMENT_PLAN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bandit/v1/config.pb.h"
#include "policies/policy.h"
#include "router/experiment/features.h"
#include "router/experiment/route_table.h"

namespace bandit::experiment {

struct ModelOverride {
  std::string name;     // Empty: as the caller has it.
  std::string version;  // Empty: as the caller has it.
};

struct Arm {
  std::string name;
  size_t backend = 0;  // Index into Plan::backends.
  std::optional<ModelOverride> model;
};

// Measured by the router itself, or fed back.
enum class MetricSource { kFeedback, kLatencyMs, kTtfbMs, kError, kResponseBytes };

struct Metric {
  std::string name;
  MetricSource source = MetricSource::kFeedback;
  policies::RewardKind kind = policies::RewardKind::kBinary;
  absl::Duration window;
  std::optional<double> default_value;
  std::optional<double> min;
  std::optional<double> max;
};

struct Experiment {
  std::string name;
  uint32_t id = 0;
  uint32_t epoch = 1;
  std::string salt;
  std::string unit_key;  // Metadata key; empty: every request is its own unit.
  std::vector<Arm> arms;
  size_t control = 0;
  std::vector<Metric> metrics;
  size_t reward_metric = 0;
  FeatureEncoder features;
  // Length of the time slices that decisions are counted in.
  absl::Duration slice;
  std::string policy_name;
  std::shared_ptr<const policies::Policy> policy;

  policies::StatisticsLayout layout() const {
    return {.dimension = features.dimension()};
  }
};

struct Backend {
  std::string name;
  std::vector<std::string> addresses;
  absl::Duration connect_timeout;
};

struct Plan {
  std::vector<Backend> backends;
  std::optional<size_t> default_backend;
  std::vector<Experiment> experiments;
  RouteTable routes;
  v1::LimitsConfig limits;  // Every field present.
};

// Stable 32-bit id of an experiment's name, as tokens carry it.
uint32_t ExperimentId(std::string_view name);

// What must stay the same for statistics to be pooled: arms, unit, salt,
// metrics and features, not the policy. A change starts a new epoch.
std::string Fingerprint(const v1::ExperimentConfig& config);

// REQUIRES: `config` passed config::Load. `epochs` by experiment name; an
// absent one is 1.
absl::StatusOr<std::shared_ptr<const Plan>> CompilePlan(
    const v1::RouterConfig& config,
    const std::map<std::string, uint32_t>& epochs);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_PLAN_H_
