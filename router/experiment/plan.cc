// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/plan.h"

#include <xxhash.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "fmt/format.h"
#include "router/experiment/builtin_metric.h"
#include "router/experiment/compile_guardrails.h"
#include "router/experiment/token.h"

namespace bandit::experiment {
namespace {

constexpr absl::Duration kDefaultWindow = absl::Hours(1);
constexpr std::string_view kTensorFlowServing =
    "tensorflow.serving.PredictionService";
// No name that a metric can have.
constexpr std::string_view kWeightedName = "@weighted";

template <typename... Args>
absl::Status Fail(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(
      fmt::format(format, std::forward<Args>(args)...));
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

using Index = absl::flat_hash_map<std::string, size_t>;

std::vector<Backend> CompileBackends(const v1::RouterConfig& config) {
  std::vector<Backend> backends;
  for (const auto& [name, backend] : config.backends()) {
    backends.push_back({.name = name, .config = backend});
  }
  // A map's order is not fixed; indices should be.
  std::sort(backends.begin(), backends.end(),
            [](const Backend& a, const Backend& b) { return a.name < b.name; });
  return backends;
}

absl::Status CompileArms(const v1::ExperimentConfig& config,
                         const Index& backends, Experiment* experiment) {
  if (config.arms().empty() ||
      static_cast<size_t>(config.arms_size()) > policies::kMaxArms) {
    return Fail("experiments.{}.arms: {} is outside [1, {}]", config.name(),
                config.arms_size(), policies::kMaxArms);
  }
  for (const v1::ArmConfig& from : config.arms()) {
    const auto backend = backends.find(from.backend());
    if (backend == backends.end() && !config.overlay()) {
      return Fail("experiments.{}.arms.{}.backend: {} is not one of backends",
                  config.name(), from.name(), from.backend());
    }
    Arm arm{.name = from.name(),
            .backend = config.overlay() ? kNoBackend : backend->second,
            .model = {},
            .cost = from.cost(),
            .cost_per_byte = from.cost_per_byte(),
            .metadata = {from.metadata().begin(), from.metadata().end()}};
    // A map's order is not fixed.
    std::sort(arm.metadata.begin(), arm.metadata.end());
    for (const auto& [key, value] : arm.metadata) {
      if (std::find(experiment->metadata_keys.begin(),
                    experiment->metadata_keys.end(),
                    key) == experiment->metadata_keys.end()) {
        experiment->metadata_keys.push_back(key);
      }
    }
    if (from.has_model()) {
      arm.model = {.name = from.model().name(),
                   .version = from.model().version()};
      for (const v1::MatchConfig& match : config.match()) {
        if (match.service() != kTensorFlowServing) continue;
        const auto suffix =
            OverrideSuffix(MessageShape::kTensorFlowServing, *arm.model);
        if (suffix.ok()) continue;
        return Fail(
            "experiments.{}.arms.{}.model.version = {} is no 64-bit "
            "number, which {} wants",
            config.name(), arm.name, arm.model->version, kTensorFlowServing);
      }
    }
    experiment->arms.push_back(std::move(arm));
  }
  return absl::OkStatus();
}

absl::Status FindArm(const v1::ExperimentConfig& config, std::string_view field,
                     std::string_view name, const std::vector<Arm>& arms,
                     size_t* index) {
  if (name.empty()) return absl::OkStatus();
  const auto arm =
      std::find_if(arms.begin(), arms.end(),
                   [&](const Arm& other) { return other.name == name; });
  if (arm == arms.end()) {
    return Fail("experiments.{}.{}: {} is not one of arms", config.name(),
                field, name);
  }
  *index = static_cast<size_t>(arm - arms.begin());
  return absl::OkStatus();
}

// How requests are carried: time limits, retries, mirror. REQUIRES: the arms
// are compiled.
absl::Status CompileTraffic(const v1::ExperimentConfig& config,
                            const Index& backends, Experiment* experiment) {
  absl::Status status = FindArm(config, "control", config.control(),
                                experiment->arms, &experiment->control);
  experiment->last_resort = experiment->control;
  status.Update(FindArm(config, "last_resort", config.last_resort(),
                        experiment->arms, &experiment->last_resort));
  experiment->timeout_ns =
      absl::ToInt64Nanoseconds(ToDuration(config.timeout()));
  if (config.has_retry()) {
    const v1::RetryConfig& retry = config.retry();
    experiment->retry = {.attempts = retry.attempts(),
                         .per_try_ns = absl::ToInt64Nanoseconds(
                             ToDuration(retry.per_try_timeout())),
                         .budget = retry.budget(),
                         .min_retries = retry.min_retries(),
                         .fallback = retry.fallback()};
  }
  if (config.has_mirror()) {
    const v1::MirrorConfig& mirror = config.mirror();
    const auto backend = backends.find(mirror.backend());
    if (backend == backends.end()) {
      return Fail("experiments.{}.mirror.backend: {} is not one of backends",
                  config.name(), mirror.backend());
    }
    experiment->mirror = {
        .backend = backend->second, .share = mirror.share(), .model = {}};
    if (mirror.has_model()) {
      experiment->mirror->model = {.name = mirror.model().name(),
                                   .version = mirror.model().version()};
    }
  }
  return status;
}

// The layers and the global holdout.
void CompilePopulations(const v1::RouterConfig& config, Plan* plan) {
  for (const v1::LayerConfig& layer : config.layers()) {
    plan->layers.push_back(
        {.unit_key = layer.unit().metadata(),
         .salt = layer.salt().empty() ? layer.name() : layer.salt(),
         .holdout = layer.holdout()});
  }
  if (config.has_holdout() && config.holdout().share() > 0) {
    plan->holdout = {.unit_key = config.holdout().unit().metadata(),
                     .salt = config.holdout().salt(),
                     .holdout = config.holdout().share()};
  }
}

std::vector<std::string> UniqueKeys(const Plan& plan) {
  std::set<std::string> keys = {"traceparent", "x-request-id"};
  for (const Experiment& e : plan.experiments) keys.insert(e.unit_key);
  for (const Population& layer : plan.layers) keys.insert(layer.unit_key);
  if (plan.holdout.has_value()) keys.insert(plan.holdout->unit_key);
  if (plan.join.has_value()) keys.insert(plan.join->metadata);
  keys.erase("");
  return {keys.begin(), keys.end()};
}

absl::Status CompileLayer(const v1::RouterConfig& config,
                          Experiment* experiment) {
  if (!experiment->config.has_layer()) return absl::OkStatus();
  const v1::LayerShareConfig& share = experiment->config.layer();
  for (int i = 0; i < config.layers_size(); ++i) {
    if (config.layers(i).name() != share.name()) continue;
    experiment->layer = {.layer = static_cast<size_t>(i),
                         .from = share.from(),
                         .to = share.to()};
    return absl::OkStatus();
  }
  return Fail("experiments.{}.layer.name: {} is not one of layers",
              experiment->name, share.name());
}

// What changes while the plan serves, as it begins.
void CompileLife(const v1::ExperimentConfig& config, Experiment* experiment) {
  experiment->draft = config.draft();
  experiment->overlay = config.overlay();
  if (config.has_forced_arms()) {
    experiment->force_key = config.forced_arms().metadata();
  }
  for (const v1::RampStageConfig& stage : config.ramp()) {
    experiment->ramp.push_back({.share = stage.share(),
                                .lasts = stage.has_lasts()
                                             ? ToDuration(stage.lasts())
                                             : absl::InfiniteDuration()});
  }
  const std::vector<Arm>& arms = experiment->arms;
  experiment->alike =
      arms.size() > 1 &&
      std::all_of(arms.begin(), arms.end(),
                  [&](const Arm& arm) { return arms[0].ServesAs(arm); });
}

Metric CompileMetric(const v1::MetricConfig& from) {
  Metric metric{
      .name = from.name(),
      .kind = from.kind() == v1::METRIC_KIND_CONTINUOUS
                  ? policies::RewardKind::kContinuous
                  : policies::RewardKind::kBinary,
      .window = ToDuration(from.window()),
      .default_value = {},
      .min = {},
      .max = {},
      .role = from.role() == v1::METRIC_ROLE_PRIMARY ? MetricRole::kPrimary
              : from.role() == v1::METRIC_ROLE_GUARDRAIL
                  ? MetricRole::kGuardrail
                  : MetricRole::kSecondary,
      .lower_is_better = from.lower_is_better(),
  };
  if (from.has_default_()) metric.default_value = from.default_();
  if (from.has_min()) metric.min = from.min();
  if (from.has_max()) metric.max = from.max();
  return metric;
}

// A reward that is the weighted sum of others.
absl::Status CompileWeights(const v1::ExperimentConfig& config,
                            Experiment* experiment) {
  // A map's order is not fixed; sums should be.
  const std::map<std::string, double> weights(config.reward().weights().begin(),
                                              config.reward().weights().end());
  for (const auto& [name, weight] : weights) {
    RewardPart part{.weight = weight};
    const auto declared = std::find_if(
        experiment->metrics.begin(), experiment->metrics.end(),
        [&name = name](const Metric& metric) { return metric.name == name; });
    const auto builtin = std::find_if(
        std::begin(kBuiltins), std::end(kBuiltins),
        [&name = name](const Builtin& known) { return known.name == name; });
    if (declared != experiment->metrics.end()) {
      part.metric = declared - experiment->metrics.begin();
    } else if (builtin != std::end(kBuiltins)) {
      part.source = builtin->source;
    } else {
      return Fail("experiments.{}.reward.weights.{} is not one of metrics",
                  config.name(), name);
    }
    experiment->reward_parts.push_back(part);
  }
  experiment->reward_metric = experiment->metrics.size();
  experiment->metrics.push_back({.name = std::string(kWeightedName),
                                 .source = MetricSource::kWeighted,
                                 .kind = policies::RewardKind::kContinuous,
                                 .window = kDefaultWindow,
                                 .default_value = {},
                                 .min = {},
                                 .max = {}});
  return absl::OkStatus();
}

void CompileReport(const v1::ExperimentConfig& config, Experiment* experiment) {
  if (config.has_report()) {
    experiment->report_alpha = config.report().alpha();
    experiment->report_planned = config.report().planned();
  }
  for (const v1::SegmentConfig& from : config.segments()) {
    experiment->segments.push_back(
        {.name = from.name(),
         .key = from.metadata(),
         .values = {from.values().begin(), from.values().end()}});
  }
  if (config.has_covariate()) {
    experiment->covariate = {
        .key = config.covariate().metadata(),
        .missing = static_cast<float>(config.covariate().missing())};
  }
}

// The declared metrics, and the reward if it is a built-in one.
absl::Status CompileMetrics(const v1::ExperimentConfig& config,
                            Experiment* experiment) {
  std::vector<Metric>& metrics = experiment->metrics;
  for (const v1::MetricConfig& from : config.metrics()) {
    metrics.push_back(CompileMetric(from));
  }
  if (!config.has_reward() && !metrics.empty()) return absl::OkStatus();
  if (!config.reward().weights().empty()) {
    return CompileWeights(config, experiment);
  }
  const std::string& reward = config.reward().metric();
  const auto declared =
      std::find_if(metrics.begin(), metrics.end(),
                   [&](const Metric& metric) { return metric.name == reward; });
  experiment->reward_metric = declared - metrics.begin();
  if (declared != metrics.end()) return absl::OkStatus();
  for (const Builtin& builtin : kBuiltins) {
    if (builtin.name != reward) continue;
    metrics.push_back({.name = reward,
                       .source = builtin.source,
                       .kind = builtin.kind,
                       .window = kDefaultWindow,
                       .default_value = {},
                       .min = {},
                       .max = {}});
    return absl::OkStatus();
  }
  return Fail(
      "experiments.{}.reward.metric: \"{}\" is not one of metrics, nor "
      "built in",
      config.name(), reward);
}

absl::Status CompileFeatures(const v1::ExperimentConfig& config,
                             Experiment* experiment) {
  if (!config.has_context()) return absl::OkStatus();
  const auto count = static_cast<size_t>(config.context().features_size());
  if (count > kMaxFeatures) {
    return Fail("experiments.{}.context.features: {} are more than {}",
                config.name(), count, kMaxFeatures);
  }
  experiment->features = FeatureEncoder(config.context());
  if (experiment->features.dimension() > kMaxTokenFeatures) {
    return Fail(
        "experiments.{}.context.features: {} columns with the intercept "
        "and all categories are more than {}",
        config.name(), experiment->features.dimension(), kMaxTokenFeatures);
  }
  return absl::OkStatus();
}

absl::Status CompilePolicy(const v1::ExperimentConfig& config,
                           Experiment* experiment) {
  policies::Problem problem{
      .arms = experiment->arms.size(),
      .weights = {},
      .reward = experiment->metrics[experiment->reward_metric].kind,
      .dimension = experiment->features.dimension(),
      .floor = config.policy().floor(),
  };
  for (const v1::ArmConfig& arm : config.arms()) {
    problem.weights.push_back(arm.weight());
  }
  experiment->policy_name = config.policy().name();
  auto policy = policies::MakePolicy(
      config.policy().name(), problem,
      {config.policy().params().begin(), config.policy().params().end()});
  if (!policy.ok()) {
    const absl::string_view why = policy.status().message();
    return Fail("experiments.{}.policy: {}", config.name(),
                std::string_view(why.data(), why.size()));
  }
  experiment->policy = *std::move(policy);
  return absl::OkStatus();
}

absl::StatusOr<Experiment> CompileExperiment(const v1::ExperimentConfig& config,
                                             const Index& backends) {
  Experiment experiment;
  experiment.name = config.name();
  experiment.id = ExperimentId(config.name());
  experiment.salt = config.salt().empty() ? config.name() : config.salt();
  experiment.unit_key = config.unit().metadata();
  absl::Status status = CompileArms(config, backends, &experiment);
  status.Update(CompileTraffic(config, backends, &experiment));
  status.Update(CompileMetrics(config, &experiment));
  status.Update(CompileFeatures(config, &experiment));
  status.Update(CompileGuardrails(config, &experiment));
  CompileReport(config, &experiment);
  if (status.ok()) status = CompilePolicy(config, &experiment);
  if (!status.ok()) return status;
  CompileLife(config, &experiment);
  experiment.slice = SliceLength(experiment.metrics);
  experiment.config = config;
  return experiment;
}

}  // namespace

uint32_t ExperimentId(std::string_view name) {
  return static_cast<uint32_t>(XXH3_64bits(name.data(), name.size()));
}

absl::Duration SliceLength(absl::Span<const Metric> metrics) {
  absl::Duration shortest = kDefaultWindow, longest = kDefaultWindow;
  if (!metrics.empty()) {
    const auto [low, high] = std::minmax_element(
        metrics.begin(), metrics.end(),
        [](const Metric& a, const Metric& b) { return a.window < b.window; });
    shortest = low->window;
    longest = high->window;
  }
  const absl::Duration slice =
      std::max({shortest / 32, longest / 512, absl::Milliseconds(100)});
  return absl::Ceil(slice, absl::Milliseconds(1));
}

absl::StatusOr<std::shared_ptr<const Plan>> CompilePlan(
    const v1::RouterConfig& config,
    const std::map<std::string, uint32_t>& epochs) {
  auto plan = std::make_shared<Plan>();
  plan->backends = CompileBackends(config);
  Index backends;
  for (const Backend& backend : plan->backends) {
    backends.emplace(backend.name, backends.size());
  }
  if (!config.default_backend().empty()) {
    const auto backend = backends.find(config.default_backend());
    if (backend == backends.end()) {
      return Fail("default_backend: {} is not one of backends",
                  config.default_backend());
    }
    plan->default_backend = backend->second;
  }
  absl::flat_hash_map<uint32_t, std::string> names;
  for (const v1::ExperimentConfig& from : config.experiments()) {
    auto experiment = CompileExperiment(from, backends);
    if (!experiment.ok()) return experiment.status();
    const auto [other, fresh] = names.emplace(experiment->id, from.name());
    if (!fresh) {
      return Fail(
          "experiments: {} and {} have the same id 0x{:08x} in tokens; "
          "rename one",
          other->second, from.name(), experiment->id);
    }
    const auto epoch = epochs.find(from.name());
    if (epoch != epochs.end()) experiment->epoch = epoch->second;
    auto layered = CompileLayer(config, &*experiment);
    if (!layered.ok()) return layered;
    plan->experiments.push_back(*std::move(experiment));
  }
  plan->routes = RouteTable(config, /*overlays=*/false);
  plan->overlays = RouteTable(config, /*overlays=*/true);
  CompilePopulations(config, plan.get());
  plan->limits = config.limits();
  if (config.has_join()) {
    plan->join = {.metadata = config.join().metadata(),
                  .window = ToDuration(config.join().window()),
                  .memory = config.join().memory()};
  }
  plan->unique_keys = UniqueKeys(*plan);
  plan->approval = {.start = config.approval().start(),
                    .ramp = config.approval().ramp(),
                    .promote = config.approval().promote()};
  return std::shared_ptr<const Plan>(std::move(plan));
}

}  // namespace bandit::experiment
