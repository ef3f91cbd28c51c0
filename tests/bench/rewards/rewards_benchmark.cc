// SPDX-License-Identifier: Apache-2.0
// Durable rewards per second: a gRPC client sends batches, several calls at a
// time, and each is answered after its transaction is on the disk.
//
// The state file is made in $BANDIT_BENCH_DIR, or else the temporary
// directory: the figure is only as honest as that disk's fsync. Client and
// server share the process, so CPU counts both.
#include <benchmark/benchmark.h>
#include <grpcpp/create_channel.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "absl/synchronization/mutex.h"
#include "router/control/control_server.h"
#include "router/learning/learning_side.h"

namespace bandit {
namespace {

v1::RouterConfig Config(const std::string& state) {
  v1::RouterConfig config;
  config.set_state(state);
  config.set_token_key("key");
  (*config.mutable_backends())["b"].add_address("127.0.0.1:1");
  config.mutable_learner()->mutable_tick()->set_nanos(100'000'000);
  config.mutable_learner()->set_queue(100'000);
  config.mutable_learner()->mutable_silence_warning()->set_seconds(300);
  v1::ExperimentConfig* experiment = config.add_experiments();
  experiment->set_name("ranker");
  for (const char* name : {"a", "b", "c", "d"}) {
    v1::ArmConfig* arm = experiment->add_arms();
    arm->set_name(name);
    arm->set_backend("b");
    arm->set_weight(1);
  }
  experiment->mutable_policy()->set_name("thompson");
  v1::MetricConfig* metric = experiment->add_metrics();
  metric->set_name("click");
  metric->set_kind(v1::METRIC_KIND_BINARY);
  metric->mutable_window()->set_seconds(1800);
  metric->set_default_(0);
  return config;
}

class Rig {
 public:
  explicit Rig(bool durable) {
    const char* directory = std::getenv("BANDIT_BENCH_DIR");
    std::string pattern =
        std::string(directory != nullptr
                        ? directory
                        : std::filesystem::temp_directory_path().c_str()) +
        "/bandit-bench-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    side_ = *learning::LearningSide::Open(
        Config(durable ? "sqlite://" + directory_ + "/state.db" : "memory:"),
        &clock_);
    control_ = *control::ControlServer::Start({.address = "127.0.0.1:0",
                                               .internal_address = "",
                                               .version = "bench",
                                               .started = absl::Now(),
                                               .signer = &side_->signer(),
                                               .learner = &side_->learner()});
    side_->learner().Start({});
    stub_ = v1::Feedback::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(control_->port()),
                            grpc::InsecureChannelCredentials()));
  }
  ~Rig() {
    control_->Shutdown(absl::Seconds(5));
    side_->learner().Stop();
    std::filesystem::remove_all(directory_);
  }

  // Rewards whose decisions were made in the last minute.
  v1::RecordRequest Batch(int size) {
    v1::RecordRequest request;
    for (int i = 0; i < size; ++i) {
      experiment::Decision decision;
      decision.experiment = experiment::ExperimentId("ranker");
      decision.epoch = 1;
      decision.arm = static_cast<uint32_t>(random_() % 4);
      decision.propensity = 0.25;
      decision.time_ms = absl::ToUnixMillis(absl::Now()) -
                         static_cast<int64_t>(random_() % 60'000);
      decision.id = random_();
      decision.unit = decision.id;
      v1::Reward* reward = request.add_rewards();
      side_->signer().Sign(decision, reward->mutable_decision());
      reward->set_value(static_cast<double>(random_() % 2));
    }
    return request;
  }

  // Sends all, at most `at_once` calls at a time. Gives how many rewards were
  // accepted.
  int64_t Send(const std::vector<v1::RecordRequest>& requests, int at_once) {
    struct Call {
      grpc::ClientContext context;
      v1::RecordResponse response;
    };
    absl::Mutex mutex;
    int under_way = 0;
    int64_t accepted = 0;
    const auto done = [&](Call* call, const grpc::Status& status) {
      int64_t more = 0;
      for (const int outcome : call->response.outcomes()) {
        more += outcome == v1::ACCEPTED;
      }
      if (!status.ok()) more = 0;
      delete call;
      absl::MutexLock lock(&mutex);
      accepted += more;
      --under_way;
    };
    for (const v1::RecordRequest& request : requests) {
      const auto free = [&] { return under_way < at_once; };
      mutex.LockWhen(absl::Condition(&free));
      ++under_way;
      mutex.Unlock();
      auto* call = new Call;
      stub_->async()->Record(
          &call->context, &request, &call->response,
          [&done, call](const grpc::Status& status) { done(call, status); });
    }
    const auto finished = [&] { return under_way == 0; };
    mutex.LockWhen(absl::Condition(&finished));
    mutex.Unlock();
    return accepted;
  }

 private:
  std::string directory_;
  learning::SystemClock clock_;
  std::unique_ptr<learning::LearningSide> side_;
  std::unique_ptr<control::ControlServer> control_;
  std::unique_ptr<v1::Feedback::Stub> stub_;
  std::mt19937_64 random_{1};
};

void BM_Rewards(benchmark::State& state, bool durable) {
  Rig rig(durable);
  const int batch = static_cast<int>(state.range(0));
  const int at_once = static_cast<int>(state.range(1));
  int64_t accepted = 0, sent = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<v1::RecordRequest> requests;
    for (int i = 0; i < 100'000 / batch / 4; ++i) {
      requests.push_back(rig.Batch(batch));
      sent += batch;
    }
    state.ResumeTiming();
    accepted += rig.Send(requests, at_once);
  }
  state.counters["accepted"] = static_cast<double>(accepted) /
                               static_cast<double>(std::max<int64_t>(sent, 1));
  state.SetItemsProcessed(accepted);
}

void BM_DurableRewards(benchmark::State& state) { BM_Rewards(state, true); }
void BM_MemoryRewards(benchmark::State& state) { BM_Rewards(state, false); }

// A lone client waiting for each answer, then pipelines.
BENCHMARK(BM_DurableRewards)
    ->ArgNames({"batch", "calls"})
    ->Args({100, 32})
    ->Args({100, 8})
    ->Args({100, 1})
    ->Args({10, 32})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond)
    ->MinTime(3);
BENCHMARK(BM_MemoryRewards)
    ->ArgNames({"batch", "calls"})
    ->Args({100, 32})
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond)
    ->MinTime(3);

// One reward, one call: what a caller waits for its acknowledgement.
void BM_LoneReward(benchmark::State& state) {
  Rig rig(/*durable=*/true);
  for (auto _ : state) {
    state.PauseTiming();
    const std::vector<v1::RecordRequest> one = {rig.Batch(1)};
    state.ResumeTiming();
    benchmark::DoNotOptimize(rig.Send(one, 1));
  }
}
BENCHMARK(BM_LoneReward)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bandit
