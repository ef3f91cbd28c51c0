// SPDX-License-Identifier: Apache-2.0
// The learning side and the control plane, without a data plane:
//   reward_server STATE TOKEN_KEY
// prints "control PORT" once it serves, and ends in order on SIGTERM.
#include <signal.h>

#include <cstdio>

#include "fmt/format.h"
#include "router/control/control_server.h"
#include "router/learning/learning_side.h"

namespace {

bandit::v1::RouterConfig Config(const char* state, const char* token_key) {
  bandit::v1::RouterConfig config;
  config.set_state(state);
  config.set_token_key(token_key);
  (*config.mutable_backends())["b"].add_address("127.0.0.1:1");
  config.mutable_learner()->mutable_tick()->set_nanos(20'000'000);
  config.mutable_learner()->set_queue(100'000);
  config.mutable_learner()->mutable_silence_warning()->set_seconds(300);
  bandit::v1::ExperimentConfig* experiment = config.add_experiments();
  experiment->set_name("ranker");
  for (const char* name : {"control", "candidate"}) {
    bandit::v1::ArmConfig* arm = experiment->add_arms();
    arm->set_name(name);
    arm->set_backend("b");
    arm->set_weight(1);
  }
  experiment->mutable_policy()->set_name("thompson");
  bandit::v1::MetricConfig* metric = experiment->add_metrics();
  metric->set_name("click");
  metric->set_kind(bandit::v1::METRIC_KIND_BINARY);
  metric->mutable_window()->set_seconds(3600);
  return config;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: {} STATE TOKEN_KEY\n", argv[0]);
    return 2;
  }
  // Before any thread, so that all of them leave the signal to sigwait.
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end, nullptr);

  const bandit::learning::SystemClock clock;
  auto side =
      bandit::learning::LearningSide::Open(Config(argv[1], argv[2]), &clock);
  if (!side.ok()) {
    fmt::print(stderr, "{}\n", side.status().ToString());
    return 1;
  }
  bandit::learning::Learner& learner = (*side)->learner();
  auto control =
      bandit::control::ControlServer::Start({.address = "127.0.0.1:0",
                                             .internal_address = "",
                                             .version = "test",
                                             .started = absl::Now(),
                                             .signer = &(*side)->signer(),
                                             .learner = &learner});
  if (!control.ok()) {
    fmt::print(stderr, "{}\n", control.status().ToString());
    return 1;
  }
  learner.Start({});
  fmt::print("control {}\n", (*control)->port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&end, &signal);
  (*control)->Shutdown(absl::Seconds(10));
  learner.Stop();
  return 0;
}
