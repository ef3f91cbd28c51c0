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
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "bandit/v1/config.pb.h"
#include "policies/policy.h"
#include "router/experiment/features.h"
#include "router/experiment/lifecycle.h"
#include "router/experiment/model_name.h"
#include "router/experiment/route_table.h"
#include "router/experiment/segments.h"
#include "router/guardrails/rule.h"

namespace bandit::experiment {

// Where an arm of an overlay sends requests.
inline constexpr size_t kNoBackend = SIZE_MAX;

struct Arm {
  std::string name;
  size_t backend = 0;  // Index into Plan::backends, or kNoBackend.
  std::optional<ModelOverride> model;
  double cost = 0;  // Of a request, and of a byte of its response.
  double cost_per_byte = 0;
  // What the backend sees, by key.
  std::vector<std::pair<std::string, std::string>> metadata;

  // What it does with a request is the same.
  bool ServesAs(const Arm& other) const {
    return backend == other.backend && model == other.model &&
           metadata == other.metadata;
  }
};

// Measured by the router itself, or fed back.
enum class MetricSource {
  kFeedback,
  kLatencyMs,
  kTtfbMs,
  kError,
  kResponseBytes,
  kCost,
  kWeighted,  // Made of others: Experiment::reward_parts.
};

// By the router, call by call.
constexpr bool IsMeasured(MetricSource source) {
  return source != MetricSource::kFeedback && source != MetricSource::kWeighted;
}

// What reports take a metric for.
enum class MetricRole { kPrimary, kSecondary, kGuardrail };

struct Metric {
  std::string name;
  MetricSource source = MetricSource::kFeedback;
  policies::RewardKind kind = policies::RewardKind::kBinary;
  absl::Duration window;
  std::optional<double> default_value;
  std::optional<double> min;
  std::optional<double> max;
  MetricRole role = MetricRole::kSecondary;
  bool lower_is_better = false;
};

// A metric's part of a weighted reward.
struct RewardPart {
  MetricSource source = MetricSource::kFeedback;
  size_t metric = 0;  // Index into Experiment::metrics, if it is fed back.
  double weight = 0;
};

// What is tried again; see RetryConfig.
struct Retry {
  uint32_t attempts = 1;   // The first one included.
  int64_t per_try_ns = 0;  // 0: no bound.
  double budget = 0;
  uint32_t min_retries = 0;
  bool fallback = false;
};

// Where copies of requests go.
struct MirrorTarget {
  size_t backend = 0;  // Index into Plan::backends.
  double share = 1;
  std::optional<ModelOverride> model;
};

struct Guardrail {
  guardrails::Rule rule;
  MetricSource source = MetricSource::kFeedback;
  size_t metric = 0;  // Index into Experiment::metrics, of kFeedback.
};

// Units that are shared out, or held out.
struct Population {
  std::string unit_key;  // Metadata key; empty: every request is its own unit.
  std::string salt;
  double holdout = 0;  // Share.
};

// The places that an experiment takes of a layer: [from, to).
struct LayerShare {
  size_t layer = 0;  // Index into Plan::layers.
  double from = 0;
  double to = 1;
};

struct Experiment {
  std::string name;
  uint32_t id = 0;
  uint32_t epoch = 1;
  std::string salt;
  std::string unit_key;  // Metadata key; empty: every request is its own unit.
  std::vector<Arm> arms;
  size_t control = 0;
  size_t last_resort = 0;
  int64_t timeout_ns = 0;  // 0: no bound.
  std::optional<Retry> retry;
  std::optional<MirrorTarget> mirror;
  std::vector<Metric> metrics;
  size_t reward_metric = 0;
  std::vector<RewardPart> reward_parts;  // Of a weighted reward; else empty.
  double report_alpha = 0.05;
  double report_planned = 10'000;
  std::vector<Segment> segments;
  std::optional<Covariate> covariate;
  FeatureEncoder features;
  // Length of the time slices that decisions are counted in; see SliceLength.
  absl::Duration slice;
  std::string policy_name;
  std::shared_ptr<const policies::Policy> policy;
  std::vector<Guardrail> guardrails;
  guardrails::Probation probation;
  bool draft = false;  // It waits for its start when it is new.
  std::vector<RampStage> ramp;
  std::optional<LayerShare> layer;
  // The metadata key by which a request names its arm; empty: it cannot.
  std::string force_key;
  bool overlay = false;
  // Every key that an arm's metadata has.
  std::vector<std::string> metadata_keys;
  // All arms are alike but for their names and weights: an A/A experiment.
  bool alike = false;
  v1::ExperimentConfig config;  // Every field present.

  policies::StatisticsLayout layout() const {
    return {.dimension = features.dimension()};
  }
};

struct Backend {
  std::string name;
  v1::BackendConfig config;  // Every field present.
};

// Rewards may name their decision by the id of its request.
struct Join {
  std::string metadata;  // The key that holds the id.
  absl::Duration window;
  size_t memory = 0;  // Bytes.

  friend bool operator==(const Join&, const Join&) = default;
};

// Which acts need another's approval.
struct Approval {
  bool start = false;
  bool ramp = false;
  bool promote = false;
};

struct Plan {
  std::vector<Backend> backends;
  std::optional<size_t> default_backend;
  std::vector<Experiment> experiments;
  RouteTable routes;
  // Of the overlays alone.
  RouteTable overlays;
  // Those of RouterConfig::layers, in their order.
  std::vector<Population> layers;
  std::optional<Population> holdout;
  v1::LimitsConfig limits;  // Every field present.
  std::optional<Join> join;
  Approval approval;
  // Metadata whose values hardly come twice: units, ids of requests and traces.
  std::vector<std::string> unique_keys;
};

// Stable 32-bit id of an experiment's name, as tokens carry it.
uint32_t ExperimentId(std::string_view name);

// A slice is the shortest window / 32, so that a decision waits at most that
// much longer than it must; but at least the longest window / 512, which bounds
// the slices that are open at a time to 514, and at least 100 ms. A whole
// number of milliseconds. No window: one hour is assumed.
absl::Duration SliceLength(absl::Span<const Metric> metrics);

// What must stay the same for statistics to be pooled, as one line of text a
// part: arms (names, backends, model overrides, metadata, their order), unit,
// salt, reward, metrics, features, segments, the covariate, costs; the unit and
// salt of the layer, if it has one (`layer`); and the shares of a fixed_split.
// Not the policy.
// Determinism: equal configs give equal text, in every build.
std::string Fingerprint(const v1::ExperimentConfig& config,
                        const v1::LayerConfig* layer = nullptr);

// The parts that differ between two fingerprints, in words for people ("arms",
// "weights"): a new epoch starts unless there is none. Shares count only if
// both have them: an edit of a running split biases what is pooled, a change
// of policy keeps what was learned.
std::vector<std::string> EpochChanges(std::string_view before,
                                      std::string_view after);

// REQUIRES: `config` passed config::Load. `epochs` by experiment name; an
// absent one is 1.
// Fails with InvalidArgument, naming the experiment, if two names have one
// ExperimentId, a policy cannot be made, the features are too many for a token,
// or what Load checks does not hold.
absl::StatusOr<std::shared_ptr<const Plan>> CompilePlan(
    const v1::RouterConfig& config,
    const std::map<std::string, uint32_t>& epochs);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_PLAN_H_
