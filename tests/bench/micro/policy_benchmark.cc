// SPDX-License-Identifier: Apache-2.0
// What a policy costs: per request (Probabilities), per reward (Accumulate) and
// per learner tick (Prepare).
#include <random>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "policies/policy.h"
#include "tests/unit/policies/arm_sums.h"

namespace bandit::policies {
namespace {

std::vector<std::vector<float>> Contexts(size_t dimension, size_t n) {
  std::mt19937_64 random(1);
  std::vector<std::vector<float>> contexts(n, std::vector<float>(dimension, 1));
  for (auto& x : contexts) {
    for (size_t i = 1; i < dimension; ++i) {
      x[i] = std::normal_distribution<float>()(random);
    }
  }
  return contexts;
}

Problem MakeProblem(size_t arms, size_t dimension, RewardKind kind) {
  Problem problem;
  problem.arms = arms;
  problem.dimension = dimension;
  problem.reward = kind;
  problem.floor = 0.01;
  return problem;
}

ArmSums Observed(size_t arms, size_t dimension) {
  ArmSums sums(arms, dimension);
  std::mt19937_64 random(2);
  const auto contexts = Contexts(dimension, 500);
  for (size_t i = 0; i < arms * 500; ++i) {
    const double mean = 0.1 + 0.01 * static_cast<double>(i % arms);
    sums.Observe(i % arms, std::bernoulli_distribution(mean)(random),
                 contexts[i % 500]);
  }
  return sums;
}

void BM_Probabilities(benchmark::State& state, const PolicyInfo* info) {
  const size_t arms = static_cast<size_t>(state.range(0));
  const size_t dimension = static_cast<size_t>(state.range(1));
  const auto policy =
      MakePolicy(info->name, MakeProblem(arms, dimension, RewardKind::kBinary),
                 {})
          .value();
  const ArmSums sums = Observed(arms, dimension);
  const auto view = sums.view();
  const auto model =
      policy->Prepare({.arms = view, .previous = nullptr, .fresh = {}}).value();
  const auto contexts = Contexts(dimension, 64);
  std::vector<double> p(arms);
  size_t i = 0;
  for (auto _ : state) {
    model->Probabilities(contexts[i++ % 64], AllArms(arms), absl::MakeSpan(p));
    benchmark::DoNotOptimize(p.data());
    benchmark::ClobberMemory();
  }
}

void BM_Accumulate(benchmark::State& state) {
  const StatisticsLayout layout{static_cast<size_t>(state.range(0))};
  const auto contexts = Contexts(layout.dimension, 64);
  // Eight arms in turn, as rewards come.
  std::vector<std::vector<double>> vectors(8,
                                           std::vector<double>(layout.size()));
  size_t i = 0;
  for (auto _ : state) {
    Accumulate(layout, 0.5,
               {.reward = static_cast<double>(i % 2),
                .propensity = 0.25,
                .features = contexts[i % 64]},
               absl::MakeSpan(vectors[i % 8]));
    benchmark::ClobberMemory();
    ++i;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Accumulate)->ArgName("dimension")->Arg(0)->Arg(8)->Arg(32);

void BM_Prepare(benchmark::State& state, const PolicyInfo* info,
                RewardKind kind) {
  const size_t arms = static_cast<size_t>(state.range(0));
  const size_t dimension = static_cast<size_t>(state.range(1));
  const auto policy =
      MakePolicy(info->name, MakeProblem(arms, dimension, kind), {}).value();
  const ArmSums sums = Observed(arms, dimension);
  const auto view = sums.view();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        policy->Prepare({.arms = view, .previous = nullptr, .fresh = {}})
            .value());
  }
}

// A tick with a few rewards, from the model before.
void BM_PrepareIncremental(benchmark::State& state) {
  const size_t arms = 8;
  const size_t dimension = static_cast<size_t>(state.range(0));
  const size_t fresh_count = static_cast<size_t>(state.range(1));
  const auto policy =
      MakePolicy("linucb", MakeProblem(arms, dimension, RewardKind::kBinary),
                 {})
          .value();
  ArmSums sums = Observed(arms, dimension);
  const auto view = sums.view();
  const auto before =
      policy->Prepare({.arms = view, .previous = nullptr, .fresh = {}}).value();
  const auto contexts = Contexts(dimension, fresh_count);
  std::vector<NewObservation> fresh;
  for (size_t i = 0; i < fresh_count; ++i) {
    const Observation o{
        .reward = 1, .propensity = 0.5, .features = contexts[i]};
    sums.Observe(i % arms, o.reward, o.features);
    fresh.push_back({i % arms, o});
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        policy
            ->Prepare({.arms = view, .previous = before.get(), .fresh = fresh})
            .value());
  }
}
BENCHMARK(BM_PrepareIncremental)
    ->ArgNames({"dimension", "fresh"})
    ->Args({32, 8})
    ->Args({32, 64});

const int kRegistered = [] {
  for (const PolicyInfo* info : AllPolicies()) {
    const std::string name(info->name);
    auto* probabilities = benchmark::RegisterBenchmark(
        ("BM_Probabilities/" + name).c_str(), BM_Probabilities, info);
    probabilities->ArgNames({"arms", "dimension"});
    for (int arms : {2, 4, 8}) {
      for (int dimension : {8, 32}) {
        if (info->contextual || dimension == 8) {
          probabilities->Args({arms, dimension});
        }
      }
    }
    const std::pair<const char*, RewardKind> kinds[] = {
        {"binary/", RewardKind::kBinary},
        {"continuous/", RewardKind::kContinuous}};
    for (const auto& [label, kind] : kinds) {
      auto* prepare = benchmark::RegisterBenchmark(
          ("BM_Prepare/" + std::string(label) + name).c_str(), BM_Prepare, info,
          kind);
      prepare->ArgNames({"arms", "dimension"})->Unit(benchmark::kMicrosecond);
      for (int arms : {2, 4, 8, 64}) {
        prepare->Args({arms, info->contextual ? 32 : 0});
      }
    }
  }
  return 0;
}();

}  // namespace
}  // namespace bandit::policies
