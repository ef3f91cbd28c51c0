// SPDX-License-Identifier: Apache-2.0
// What a decision costs a request: Assign (features, probabilities, draw) and
// Sign together, and their parts beside it.
#include <random>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "fmt/format.h"
#include "router/experiment/assignment.h"
#include "router/experiment/model_name.h"
#include "router/experiment/plan.h"
#include "router/experiment/token.h"

namespace bandit::experiment {
namespace {

constexpr char kInfer[] = "/inference.GRPCInferenceService/ModelInfer";

// What a gRPC client sends, with the unit and `numbers` features behind it.
class Request {
 public:
  explicit Request(int numbers) {
    for (int i = 0; i < numbers; ++i) {
      names_.push_back(fmt::format("x-feature-{}", i));
      values_.push_back(fmt::format("{}.{}", i, 7919 * i % 1000));
    }
    headers_ = {{":method", "POST"},
                {":scheme", "http"},
                {":path", kInfer},
                {":authority", "models.example:8080"},
                {"te", "trailers"},
                {"content-type", "application/grpc"},
                {"user-agent", "grpc-python/1.51.1 grpc-c/29.0.0 (linux)"},
                {"grpc-accept-encoding", "identity, deflate, gzip"},
                {"grpc-timeout", "5S"},
                {"x-user-id", "0b6c9a1e-6f1c-4d0e-9d3c-8a4a3a8f3e11"}};
    for (int i = 0; i < numbers; ++i) {
      headers_.emplace_back(names_[i], values_[i]);
    }
  }

  http2::Headers headers() const { return headers_; }

 private:
  std::vector<std::string> names_, values_;
  std::vector<http2::Header> headers_;
};

// An experiment with a model that has learned from 500 decisions an arm.
struct Learned {
  Learned(const std::string& policy, int arms, int numbers, bool sticky)
      : request(numbers) {
    v1::RouterConfig config;
    (*config.mutable_backends())["b"].add_address("b:1");
    v1::ExperimentConfig& from = *config.add_experiments();
    from.set_name("ranker");
    from.add_match()->set_model("ranker");
    if (sticky) from.mutable_unit()->set_metadata("x-user-id");
    for (int i = 0; i < arms; ++i) {
      v1::ArmConfig& arm = *from.add_arms();
      arm.set_name(fmt::format("variant-{}", i));
      arm.set_backend("b");
      arm.set_weight(1);
    }
    for (int i = 0; i < numbers; ++i) {
      v1::FeatureConfig& feature = *from.mutable_context()->add_features();
      feature.set_name(fmt::format("f{}", i));
      feature.set_metadata(fmt::format("x-feature-{}", i));
      feature.set_scale(10);
    }
    from.mutable_policy()->set_name(policy);
    from.mutable_policy()->set_floor(0.01);
    v1::MetricConfig& metric = *from.add_metrics();
    metric.set_name("click");
    metric.set_kind(v1::METRIC_KIND_BINARY);
    metric.mutable_window()->set_seconds(1800);
    plan = CompilePlan(config, {}).value();

    std::mt19937_64 random(1);
    std::vector<std::vector<double>> sums(
        arms, std::vector<double>(experiment().layout().size()));
    std::vector<float> x(experiment().features.dimension());
    for (int i = 0; i < 500 * arms; ++i) {
      for (float& value : x) value = std::normal_distribution<float>()(random);
      const double reward =
          std::bernoulli_distribution(0.1 + 0.01 * (i % arms))(random);
      policies::Accumulate(experiment().layout(), 0, {reward, 0.5, x},
                           absl::MakeSpan(sums[i % arms]));
    }
    std::vector<policies::ArmStatistics> views;
    for (const auto& sum : sums) {
      views.emplace_back(experiment().layout(), 0, sum);
    }
    model = experiment().policy->Prepare({views, nullptr, {}}).value();
  }

  const Experiment& experiment() const { return plan->experiments[0]; }

  Request request;
  std::shared_ptr<const Plan> plan;
  std::shared_ptr<const policies::Model> model;
};

void BM_Decision(benchmark::State& state, const std::string& policy, int arms,
                 int numbers, bool sticky) {
  const Learned learned(policy, arms, numbers, sticky);
  const TokenSigner signer("secret");
  const auto eligible = policies::AllArms(arms);
  std::mt19937_64 random(1);
  Assignment assignment;
  std::string token;
  int64_t time_ms = 1700000000000;
  for (auto _ : state) {
    Assign(learned.experiment(), *learned.model, eligible,
           learned.request.headers(), ++time_ms, random, &assignment);
    signer.Sign(assignment.decision, &token);
    benchmark::DoNotOptimize(token.data());
  }
  state.counters["token"] = static_cast<double>(token.size());
}
BENCHMARK_CAPTURE(BM_Decision, fixed_split_2, "fixed_split", 2, 0, false);
BENCHMARK_CAPTURE(BM_Decision, thompson_4, "thompson", 4, 0, false);
BENCHMARK_CAPTURE(BM_Decision, thompson_4_sticky, "thompson", 4, 0, true);
BENCHMARK_CAPTURE(BM_Decision, thompson_64_sticky, "thompson", 64, 0, true);
BENCHMARK_CAPTURE(BM_Decision, linucb_8x32, "linucb", 8, 31, false);
BENCHMARK_CAPTURE(BM_Decision, linucb_8x32_sticky, "linucb", 8, 31, true);

void BM_Assign(benchmark::State& state, const std::string& policy, int arms,
               int numbers, bool sticky) {
  const Learned learned(policy, arms, numbers, sticky);
  std::mt19937_64 random(1);
  Assignment assignment;
  for (auto _ : state) {
    Assign(learned.experiment(), *learned.model, policies::AllArms(arms),
           learned.request.headers(), 1, random, &assignment);
    benchmark::DoNotOptimize(assignment.decision.arm);
  }
}
BENCHMARK_CAPTURE(BM_Assign, thompson_4, "thompson", 4, 0, false);
BENCHMARK_CAPTURE(BM_Assign, thompson_4_sticky, "thompson", 4, 0, true);
BENCHMARK_CAPTURE(BM_Assign, linucb_8x32, "linucb", 8, 31, false);

void BM_Encode(benchmark::State& state) {
  const Learned learned("linucb", 8, 31, false);
  std::vector<float> x(32);
  for (auto _ : state) {
    benchmark::DoNotOptimize(learned.experiment().features.Encode(
        learned.request.headers(), absl::MakeSpan(x)));
  }
}
BENCHMARK(BM_Encode);

Decision WithFeatures(int64_t features) {
  Decision decision{.experiment = 1,
                    .epoch = 1,
                    .arm = 2,
                    .propensity = 0.37,
                    .time_ms = 1700000000000,
                    .id = 12345678901234567,
                    .unit = 7654321,
                    .features = {}};
  for (int64_t i = 0; i < features; ++i) {
    decision.features.push_back(1.5F * static_cast<float>(i + 1));
  }
  return decision;
}

void BM_Sign(benchmark::State& state) {
  const TokenSigner signer("secret");
  const Decision decision = WithFeatures(state.range(0));
  std::string token;
  for (auto _ : state) {
    signer.Sign(decision, &token);
    benchmark::DoNotOptimize(token.data());
  }
}
BENCHMARK(BM_Sign)->Arg(0)->Arg(32);

void BM_Verify(benchmark::State& state) {
  const TokenSigner signer("secret");
  std::string token;
  signer.Sign(WithFeatures(state.range(0)), &token);
  for (auto _ : state) {
    benchmark::DoNotOptimize(signer.Verify(token));
  }
}
BENCHMARK(BM_Verify)->Arg(0)->Arg(32);

// Experiments that share a path and differ by model; the last one matches.
void BM_Match(benchmark::State& state, bool by_service) {
  v1::RouterConfig config;
  for (int64_t i = 0; i < state.range(0); ++i) {
    v1::MatchConfig& match = *config.add_experiments()->add_match();
    if (by_service) {
      match.set_service(fmt::format("pkg.Service{}", i));
    } else {
      match.set_service("inference.GRPCInferenceService");
      match.set_model(fmt::format("model-{}", i));
    }
  }
  const RouteTable table(config);
  const std::string last = fmt::format("model-{}", state.range(0) - 1);
  const std::string path =
      by_service ? fmt::format("/pkg.Service{}/Call", state.range(0) - 1)
                 : kInfer;
  const http2::Header headers[] = {
      {":method", "POST"}, {":scheme", "http"}, {":path", path}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.Match(headers, last));
  }
}
BENCHMARK_CAPTURE(BM_Match, services, true)->Arg(1)->Arg(500);
BENCHMARK_CAPTURE(BM_Match, models, false)->Arg(1)->Arg(500);

// A 16 KiB part at a time; the name is in front or behind `range` bytes.
void BM_Skim(benchmark::State& state, bool name_first) {
  const std::string name = "\x0a\x06ranker";
  std::string tensor = "\x3a";  // raw_input_contents = 7
  size_t size = static_cast<size_t>(state.range(0));
  for (size_t rest = size; rest > 0; rest >>= 7) {
    tensor.push_back(static_cast<char>(rest >= 128 ? rest | 128 : rest));
  }
  tensor.append(size, 'x');
  const std::string message = name_first ? name + tensor : tensor + name;
  for (auto _ : state) {
    ModelNameSkimmer skimmer(MessageShape::kOpenInference, message.size());
    for (size_t i = 0; skimmer.state() == ModelNameSkimmer::State::kNeedMore;
         i += 16384) {
      skimmer.Feed(std::string_view(message).substr(i, 16384));
    }
    benchmark::DoNotOptimize(skimmer.model().data());
  }
}
BENCHMARK_CAPTURE(BM_Skim, name_first, true)->Arg(300)->Arg(1 << 20);
BENCHMARK_CAPTURE(BM_Skim, name_last, false)->Arg(300)->Arg(1 << 20);

}  // namespace
}  // namespace bandit::experiment
