// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/plan.h"

#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// As config::Load leaves it.
v1::RouterConfig Config() {
  v1::RouterConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
      backends { key: 'z' value { address: 'z:1'
                                  connect_timeout { seconds: 5 } } }
      backends { key: 'a' value { address: ['a:1', 'a:2']
                                  connect_timeout { nanos: 250000000 } } }
      default_backend: 'z'
      limits { stream_window: 262144 }
      join {
        metadata: "x-request-id"
        window { seconds: 1800 }
        memory: 1048576
      }
      experiments {
        name: 'ranker' salt: 'pepper' control: 'candidate'
        match { service: 'inference.GRPCInferenceService' model: 'ranker' }
        unit { metadata: 'x-user' }
        arms { name: 'control' backend: 'z' weight: 90 }
        arms { name: 'candidate' backend: 'a' weight: 10
               model { name: 'ranker' version: '2' } }
        policy { name: 'fixed_split' floor: 0.02 }
        reward { metric: 'revenue' }
        metrics { name: 'click' kind: METRIC_KIND_BINARY
                  window { seconds: 1800 } default: 0 }
        metrics { name: 'revenue' kind: METRIC_KIND_CONTINUOUS
                  window { seconds: 3600 } min: 0 max: 100 }
        context { features { name: 'n' metadata: 'x-n' scale: 1 } }
      })",
                                                            &config));
  return config;
}

std::shared_ptr<const Plan> Compiled(
    const v1::RouterConfig& config,
    const std::map<std::string, uint32_t>& epochs = {}) {
  auto plan = CompilePlan(config, epochs);
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? *plan : nullptr;
}

std::string ErrorOf(const v1::RouterConfig& config) {
  const auto plan = CompilePlan(config, {});
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(plan.status().message());
}

TEST(PlanTest, ResolvesNamesToIndices) {
  const auto plan = Compiled(Config());
  ASSERT_THAT(plan->backends, SizeIs(2));
  EXPECT_EQ(plan->backends[0].name, "a");
  EXPECT_THAT(plan->backends[0].config.address(),
              testing::ElementsAre("a:1", "a:2"));
  EXPECT_EQ(plan->backends[0].config.connect_timeout().nanos(), 250'000'000);
  EXPECT_EQ(plan->default_backend, 1);
  EXPECT_EQ(plan->limits.stream_window(), 262144);
  EXPECT_EQ(plan->join, (Join{.metadata = "x-request-id",
                              .window = absl::Minutes(30),
                              .memory = 1048576}));

  ASSERT_THAT(plan->experiments, SizeIs(1));
  const Experiment& experiment = plan->experiments[0];
  EXPECT_EQ(experiment.name, "ranker");
  EXPECT_EQ(experiment.id, ExperimentId("ranker"));
  EXPECT_EQ(experiment.epoch, 1);
  EXPECT_EQ(experiment.salt, "pepper");
  EXPECT_EQ(experiment.unit_key, "x-user");
  EXPECT_EQ(experiment.control, 1);
  ASSERT_THAT(experiment.arms, SizeIs(2));
  EXPECT_EQ(experiment.arms[0].backend, 1);
  EXPECT_FALSE(experiment.arms[0].model.has_value());
  EXPECT_EQ(experiment.arms[1].backend, 0);
  EXPECT_EQ(experiment.arms[1].model->name, "ranker");
  EXPECT_EQ(experiment.arms[1].model->version, "2");
  EXPECT_EQ(experiment.layout().dimension, 2);
  EXPECT_EQ(
      plan->routes
          .Match({{":path", "/inference.GRPCInferenceService/ModelInfer"}},
                 "ranker")
          .experiment,
      0);
}

TEST(PlanTest, CompilesMetrics) {
  const auto plan = Compiled(Config());
  const Experiment& experiment = plan->experiments[0];
  ASSERT_THAT(experiment.metrics, SizeIs(2));
  const Metric& click = experiment.metrics[0];
  EXPECT_EQ(click.name, "click");
  EXPECT_EQ(click.source, MetricSource::kFeedback);
  EXPECT_EQ(click.kind, policies::RewardKind::kBinary);
  EXPECT_EQ(click.window, absl::Minutes(30));
  EXPECT_EQ(click.default_value, 0);
  EXPECT_FALSE(click.min.has_value());
  const Metric& revenue = experiment.metrics[1];
  EXPECT_EQ(revenue.kind, policies::RewardKind::kContinuous);
  EXPECT_FALSE(revenue.default_value.has_value());
  EXPECT_EQ(revenue.min, 0);
  EXPECT_EQ(revenue.max, 100);
  EXPECT_EQ(experiment.reward_metric, 1);
}

TEST(PlanTest, TheFirstMetricIsTheRewardUnlessOneIsNamed) {
  auto config = Config();
  config.mutable_experiments(0)->clear_reward();
  EXPECT_EQ(Compiled(config)->experiments[0].reward_metric, 0);
}

TEST(PlanTest, ABuiltInRewardIsAppended) {
  const std::vector<std::tuple<std::string, MetricSource, policies::RewardKind>>
      builtins = {
          {"latency_ms", MetricSource::kLatencyMs,
           policies::RewardKind::kContinuous},
          {"ttfb_ms", MetricSource::kTtfbMs, policies::RewardKind::kContinuous},
          {"error", MetricSource::kError, policies::RewardKind::kBinary},
          {"response_bytes", MetricSource::kResponseBytes,
           policies::RewardKind::kContinuous},
      };
  for (const auto& [name, source, kind] : builtins) {
    auto config = Config();
    config.mutable_experiments(0)->mutable_reward()->set_metric(name);
    const auto plan = Compiled(config);
    const Experiment& experiment = plan->experiments[0];
    ASSERT_THAT(experiment.metrics, SizeIs(3));
    EXPECT_EQ(experiment.reward_metric, 2);
    EXPECT_EQ(experiment.metrics[2].name, name);
    EXPECT_EQ(experiment.metrics[2].source, source);
    EXPECT_EQ(experiment.metrics[2].kind, kind);
  }
}

TEST(PlanTest, MakesThePolicy) {
  const auto plan = Compiled(Config());
  const Experiment& experiment = plan->experiments[0];
  EXPECT_EQ(experiment.policy_name, "fixed_split");
  const std::vector<double> vector(experiment.layout().size());
  const std::vector<policies::ArmStatistics> arms(
      2, policies::ArmStatistics(experiment.layout(), 0, vector));
  const auto model = experiment.policy->Prepare({arms, nullptr, {}});
  ASSERT_TRUE(model.ok()) << model.status();
  std::vector<double> p(2);
  (*model)->Probabilities({0, 0}, policies::AllArms(2), absl::MakeSpan(p));
  // The floor of 0.02 mixed in.
  EXPECT_NEAR(p[0], 0.02 + 0.96 * 0.9, 1e-12);
}

TEST(PlanTest, EpochsComeFromTheState) {
  const auto plan = Compiled(Config(), {{"ranker", 7}, {"other", 9}});
  EXPECT_EQ(plan->experiments[0].epoch, 7);
}

TEST(PlanTest, SaltAndControlHaveDefaults) {
  auto config = Config();
  config.mutable_experiments(0)->clear_salt();
  config.mutable_experiments(0)->clear_control();
  config.clear_default_backend();
  const auto plan = Compiled(config);
  EXPECT_EQ(plan->experiments[0].salt, "ranker");
  EXPECT_EQ(plan->experiments[0].control, 0);
  EXPECT_FALSE(plan->default_backend.has_value());
}

TEST(PlanTest, CompilesHowRequestsAreCarried) {
  auto config = Config();
  auto* const from = config.mutable_experiments(0);
  const auto plain = Compiled(config);
  EXPECT_EQ(plain->experiments[0].last_resort, plain->experiments[0].control);
  EXPECT_EQ(plain->experiments[0].timeout_ns, 0);
  EXPECT_FALSE(plain->experiments[0].retry.has_value());
  EXPECT_FALSE(plain->experiments[0].mirror.has_value());

  from->set_last_resort("candidate");
  from->mutable_timeout()->set_nanos(5'000'000);
  from->mutable_retry()->set_attempts(4);
  from->mutable_retry()->set_budget(0.5);
  from->mutable_retry()->set_min_retries(7);
  from->mutable_retry()->set_fallback(true);
  from->mutable_retry()->mutable_per_try_timeout()->set_seconds(2);
  const std::string shadow = from->arms(1).backend();
  from->mutable_mirror()->set_backend(shadow);
  from->mutable_mirror()->set_share(0.25);
  from->mutable_mirror()->mutable_model()->set_version("3");
  const auto plan = Compiled(config);
  const Experiment& e = plan->experiments[0];
  EXPECT_EQ(e.arms[e.last_resort].name, "candidate");
  EXPECT_EQ(e.timeout_ns, 5'000'000);
  EXPECT_EQ(e.retry->attempts, 4u);
  EXPECT_EQ(e.retry->budget, 0.5);
  EXPECT_EQ(e.retry->min_retries, 7u);
  EXPECT_TRUE(e.retry->fallback);
  EXPECT_EQ(e.retry->per_try_ns, 2'000'000'000);
  EXPECT_EQ(plan->backends[e.mirror->backend].name, shadow);
  EXPECT_EQ(e.mirror->share, 0.25);
  EXPECT_EQ(e.mirror->model->version, "3");
}

TEST(PlanTest, KnowsTheMetadataWhoseValuesHardlyComeTwice) {
  EXPECT_THAT(Compiled(Config())->unique_keys,
              ElementsAre("traceparent", "x-request-id", "x-user"));
}

TEST(PlanTest, NoExperimentsIsAPlan) {
  EXPECT_THAT(Compiled({})->experiments, testing::IsEmpty());
}

// Two of 150,000 names whose hashes collide in 32 bits, found by search.
TEST(PlanTest, TwoNamesWithOneIdAreRefusedByName) {
  std::map<uint32_t, std::string> seen;
  std::string first, second;
  for (int i = 0; first.empty(); ++i) {
    std::string name = fmt::format("e{}", i);
    const auto [it, fresh] = seen.emplace(ExperimentId(name), name);
    if (!fresh) {
      first = it->second;
      second = name;
    }
  }
  auto config = Config();
  *config.add_experiments() = config.experiments(0);
  config.mutable_experiments(0)->set_name(first);
  config.mutable_experiments(1)->set_name(second);
  const std::string error = ErrorOf(config);
  EXPECT_THAT(error, HasSubstr(first));
  EXPECT_THAT(error, HasSubstr(second));
  EXPECT_THAT(error, HasSubstr("rename"));
}

TEST(PlanTest, NamesWhatCannotBe) {
  const auto error = [](auto edit) {
    auto config = Config();
    edit(&config, config.mutable_experiments(0));
    return ErrorOf(config);
  };
  EXPECT_THAT(error([](auto* c, auto* e) { c->set_default_backend("x"); }),
              HasSubstr("default_backend: x"));
  EXPECT_THAT(
      error([](auto* c, auto* e) { e->mutable_arms(0)->set_backend("x"); }),
      HasSubstr("experiments.ranker.arms.control.backend: x"));
  EXPECT_THAT(error([](auto* c, auto* e) { e->clear_arms(); }),
              HasSubstr("experiments.ranker.arms: 0 is outside [1, 64]"));
  EXPECT_THAT(error([](auto* c, auto* e) { e->set_control("x"); }),
              HasSubstr("experiments.ranker.control: x"));
  EXPECT_THAT(error([](auto* c, auto* e) { e->set_last_resort("x"); }),
              HasSubstr("experiments.ranker.last_resort: x"));
  EXPECT_THAT(
      error([](auto* c, auto* e) { e->mutable_mirror()->set_backend("x"); }),
      HasSubstr("experiments.ranker.mirror.backend: x"));
  EXPECT_THAT(
      error([](auto* c, auto* e) { e->mutable_reward()->set_metric("x"); }),
      HasSubstr("experiments.ranker.reward.metric: \"x\""));
  EXPECT_THAT(
      error([](auto* c, auto* e) { e->mutable_policy()->set_name("x"); }),
      HasSubstr("experiments.ranker.policy: "));
  EXPECT_THAT(
      error([](auto* c, auto* e) {
        e->mutable_match(0)->set_service(
            "tensorflow.serving.PredictionService");
        e->mutable_arms(1)->mutable_model()->set_version("v2");
      }),
      HasSubstr("experiments.ranker.arms.candidate.model.version = v2"));
}

TEST(PlanTest, FeaturesAreBounded) {
  auto config = Config();
  auto* features =
      config.mutable_experiments(0)->mutable_context()->mutable_features();
  while (features->size() < 64) *features->Add() = features->Get(0);
  EXPECT_NE(Compiled(config), nullptr);
  *features->Add() = features->Get(0);
  EXPECT_THAT(ErrorOf(config), HasSubstr("65 are more than 64"));

  config = Config();
  features =
      config.mutable_experiments(0)->mutable_context()->mutable_features();
  for (int i = 0; i < 1024; ++i) {
    features->Mutable(0)->add_categories(fmt::format("c{}", i));
  }
  EXPECT_THAT(ErrorOf(config), HasSubstr("1025 columns"));
}

Metric Window(absl::Duration window) {
  Metric metric;
  metric.window = window;
  return metric;
}

TEST(SliceLengthTest, FollowsTheShortestWindow) {
  EXPECT_EQ(SliceLength({}), absl::Seconds(112.5));
  EXPECT_EQ(SliceLength({Window(absl::Minutes(30))}),
            absl::Milliseconds(56250));
  EXPECT_EQ(SliceLength({Window(absl::Hours(1)), Window(absl::Minutes(4))}),
            absl::Seconds(7.5));
  EXPECT_EQ(SliceLength({Window(absl::Seconds(1))}), absl::Milliseconds(100));
  // Whole milliseconds.
  EXPECT_EQ(SliceLength({Window(absl::Seconds(11))}), absl::Milliseconds(344));
}

TEST(SliceLengthTest, BoundsTheSlicesOfTheLongestWindow) {
  for (const auto shortest : {absl::Seconds(1), absl::Hours(1)}) {
    for (const auto longest : {absl::Hours(1), absl::Hours(720)}) {
      const auto slice = SliceLength({Window(shortest), Window(longest)});
      EXPECT_LE(longest / slice, 512);
      EXPECT_EQ(absl::ToInt64Milliseconds(slice) * absl::Milliseconds(1),
                slice);
    }
  }
}

}  // namespace
}  // namespace bandit::experiment
