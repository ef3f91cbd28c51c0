// SPDX-License-Identifier: Apache-2.0
// How long a report takes, and what it is made of, by number of decisions.
#include <benchmark/benchmark.h>

#include <random>

#include "router/report/report.h"
#include "tests/unit/report/input_builder.h"

namespace bandit::report {
namespace {

// Two arms, a click and all that the router measures.
Input InputOf(int64_t decisions) {
  bandit::testing::InputBuilder builder({"control", "candidate"});
  builder.AddErrors();
  for (const char* name : {"latency_ms", "ttfb_ms", "response_bytes", "cost"}) {
    builder.AddMetric({.name = name,
                       .role = "built-in",
                       .cost = true,
                       .measured = true,
                       .arms = {}});
  }
  const std::vector<double> p = {0.5, 0.5};
  stats::LogLinearHistogram latency[2];
  for (int64_t i = 0; i < decisions; ++i) {
    const uint64_t bits = builder.random()();
    const size_t arm = bits & 1;
    const auto decision = builder.Decide(arm, p);
    builder.Reward(decision, bits % 10 == 0 ? 1 : 0, 0);
    builder.Reward(decision, bits % 1000 == 1 ? 1 : 0, 1);
    const double ms = 5 + static_cast<double>(bits >> 54) / 100;
    for (size_t m = 2; m < 6; ++m) builder.Reward(decision, ms, m);
    latency[arm].Record(static_cast<uint64_t>(ms * 1e6));
  }
  for (size_t a = 0; a < 2; ++a) {
    learning::latency_cells::Add(
        latency[a], absl::MakeSpan(builder.input().arms[a].latency));
  }
  return builder.input();
}

void BM_Report(benchmark::State& state) {
  const Input input = InputOf(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(MakeReport(input));
  state.counters["input_bytes"] = static_cast<double>(input.bytes());
}
BENCHMARK(BM_Report)
    ->Arg(10'000)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bandit::report
