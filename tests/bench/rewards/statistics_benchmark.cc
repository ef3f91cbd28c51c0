// SPDX-License-Identifier: Apache-2.0
// What counting costs: on the request path (worker) and at a reward (ledger).
#include <benchmark/benchmark.h>

#include <random>

#include "router/learning/ledger.h"
#include "router/learning/worker_statistics.h"

namespace bandit::learning {
namespace {

constexpr size_t kArms = 4;

// One experiment; `dimension` 0 is without context.
std::shared_ptr<const experiment::Plan> MakePlan(int64_t dimension,
                                                 bool has_default) {
  auto plan = std::make_shared<experiment::Plan>();
  experiment::Experiment& e = plan->experiments.emplace_back();
  e.name = "ranker";
  e.id = experiment::ExperimentId(e.name);
  for (size_t a = 0; a < kArms; ++a) {
    e.arms.push_back({.name = std::string(1, static_cast<char>('a' + a)),
                      .backend = 0,
                      .model = {}});
  }
  e.metrics.push_back({.name = "click",
                       .source = experiment::MetricSource::kFeedback,
                       .kind = policies::RewardKind::kBinary,
                       .window = absl::Minutes(30),
                       .default_value = {},
                       .min = {},
                       .max = {}});
  if (has_default) e.metrics[0].default_value = 0;
  if (dimension > 0) {
    v1::ContextConfig context;
    for (int64_t i = 1; i < dimension; ++i) {
      v1::FeatureConfig* feature = context.add_features();
      feature->set_name("f" + std::to_string(i));
      feature->set_metadata(feature->name());
      feature->set_scale(1);
    }
    e.features = experiment::FeatureEncoder(context);
  }
  e.slice = absl::Seconds(60);
  return plan;
}

experiment::Decision MakeDecision(const experiment::Plan& plan) {
  experiment::Decision decision;
  decision.experiment = plan.experiments[0].id;
  decision.epoch = 1;
  decision.arm = 1;
  decision.propensity = 0.25;
  decision.time_ms = 1'700'000'000'000;
  for (size_t i = 0; i < plan.experiments[0].features.dimension(); ++i) {
    decision.features.push_back(static_cast<float>(i) / 8);
  }
  return decision;
}

void BM_WorkerDecision(benchmark::State& state) {
  const auto plan = MakePlan(state.range(0), /*has_default=*/true);
  WorkerStatistics statistics(plan);
  const auto decision = MakeDecision(*plan);
  for (auto _ : state) statistics.OnDecision(0, decision);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WorkerDecision)->ArgName("dimension")->Arg(0)->Arg(8)->Arg(32);

// What a `join` adds to it.
void BM_WorkerRequest(benchmark::State& state) {
  auto plan = std::make_shared<experiment::Plan>(
      *MakePlan(state.range(0), /*has_default=*/true));
  plan->join = {.metadata = "x-request-id",
                .window = absl::Minutes(30),
                .memory = 64 << 20};
  WorkerStatistics statistics(plan);
  const auto decision = MakeDecision(*plan);
  int64_t until_harvest = 0;
  for (auto _ : state) {
    statistics.OnRequest("0f8fad5b-d9cb-469f-a165-70867728950e", decision);
    if (++until_harvest % 1000 == 0) {
      benchmark::DoNotOptimize(statistics.Take());
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WorkerRequest)->ArgName("dimension")->Arg(0)->Arg(32);

void BM_WorkerCall(benchmark::State& state) {
  const auto plan = MakePlan(0, /*has_default=*/true);
  WorkerStatistics statistics(plan);
  const auto decision = MakeDecision(*plan);
  CallRecord call{.code = 0, .ttfb_ns = 500'000, .overhead_ns = 9'000};
  for (auto _ : state) {
    call.latency_ns = (call.latency_ns + 7919) % 20'000'000;
    statistics.OnStart(0, 1);
    statistics.OnFinish(0, decision, call);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_WorkerCall);

// Judged and credited, without the store; a commit each thousand.
void BM_LedgerReward(benchmark::State& state) {
  const auto plan = MakePlan(state.range(0), state.range(1) != 0);
  Ledger ledger(plan);
  const Reward reward{
      .decision = MakeDecision(*plan), .metric = "click", .value = 1};
  const absl::Time now = absl::FromUnixMillis(reward.decision.time_ms + 1000);
  int64_t staged = 0;
  for (auto _ : state) {
    const Verdict verdict = ledger.Judge(reward, now);
    ledger.Credit(reward, verdict);
    if (++staged % 1000 == 0) ledger.Commit();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_LedgerReward)
    ->ArgNames({"dimension", "default"})
    ->ArgsProduct({{0, 8, 32}, {0, 1}});

}  // namespace
}  // namespace bandit::learning
