// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/client_cpp/router_case.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <fstream>
#include <utility>

#include "absl/time/clock.h"
#include "bandit/client/hashing.h"
#include "bandit/client/token.h"
#include "bandit/v1/admin.grpc.pb.h"
#include "fmt/format.h"
#include "router/experiment/token.h"

namespace bandit::testing {
namespace {

constexpr char kConfig[] = R"(
listen: 127.0.0.1:{port}
control: 127.0.0.1:0
admin: 127.0.0.1:0
state: "{state}"
token_key: {key}
learner: {{tick: 10ms}}
join: {{metadata: x-request-id, window: 10m}}
backends:
  a: {{address: "{a}"}}
  b: {{address: "{b}"}}
experiments:
  - name: sketch
    draft: true
    overlay: true
    match: {{service: inference.GRPCInferenceService, method: ModelInfer}}
    arms: [{{name: plain, metadata: {{x-sketch: "0"}}}}]
    policy: {{name: fixed_split}}
  - name: ranker
    match: {{service: inference.GRPCInferenceService}}
    unit: {{metadata: x-bandit-unit}}
    arms: [{{name: control, backend: a}}, {{name: new, backend: b}}]
    policy: {{name: linucb, floor: 0.2}}
    metrics: [{{name: click, kind: binary, window: 30m}}]
    context:
      features:
        - {{name: device, metadata: x-device, categories: [ios, web]}}
        - {{name: age, metadata: x-age}}
  - name: prompt
    overlay: true
    match: {{service: inference.GRPCInferenceService, method: ModelInfer}}
    arms:
      - {{name: short, metadata: {{x-prompt: short}}}}
      - {{name: long, metadata: {{x-prompt: long}}}}
    policy: {{name: fixed_split}}
    metrics: [{{name: click, kind: binary, window: 30m}}]
)";

}  // namespace

void RouterCase::Start() {
  std::ofstream(files_.File("router.yaml")) << fmt::format(
      kConfig, fmt::arg("port", port_), fmt::arg("state", files_.StateUri()),
      fmt::arg("key", kTokenKey), fmt::arg("a", models_[0].address()),
      fmt::arg("b", models_[1].address()));
  auto started = RouterProcess::Start(
      {BANDIT_ROUTER, "--config", files_.File("router.yaml")},
      "ready listen=[0-9.]+:([0-9]+)");
  ASSERT_TRUE(started.ok()) << started.status();
  router_ = *std::move(started);
  port_ = router_->control_port();
}

std::string RouterCase::Target() const {
  return fmt::format("127.0.0.1:{}", port_);
}

std::unique_ptr<client::Client> RouterCase::MakeClient(
    client::RewardSenderOptions rewards) {
  client::ClientOptions options;
  // A channel that no other test's router failed.
  options.channel.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  rewards.linger = absl::ZeroDuration();
  rewards.first_backoff = absl::Milliseconds(20);
  rewards.max_backoff = absl::Milliseconds(200);
  options.rewards = std::move(rewards);
  return std::make_unique<client::Client>(
      Target(), grpc::InsecureChannelCredentials(), options);
}

std::string RouterCase::Infer(client::Client& client, const std::string& model,
                              grpc::StatusCode expected) {
  const auto stub = inference::GRPCInferenceService::NewStub(client.channel());
  grpc::ClientContext context;
  inference::ModelInferRequest request;
  request.set_model_name(model);
  inference::ModelInferResponse response;
  const grpc::Status status = stub->ModelInfer(&context, request, &response);
  EXPECT_EQ(status.error_code(), expected) << status.error_message();
  return response.model_version();
}

::testing::AssertionResult RouterCase::Shows(const std::string& experiment,
                                             uint64_t count) {
  const absl::Time end = absl::Now() + kLong;
  uint64_t shown = 0;
  do {
    shown = Accepted(experiment);
    if (shown == count) return ::testing::AssertionSuccess();
  } while (shown < count && absl::Now() < end);
  return ::testing::AssertionFailure()
         << experiment << " shows " << shown << ", not " << count;
}

uint64_t RouterCase::Accepted(const std::string& experiment) {
  grpc::ClientContext context;
  v1::RouterStatus status;
  const grpc::Status answer =
      v1::Admin::NewStub(
          grpc::CreateChannel(Target(), grpc::InsecureChannelCredentials()))
          ->GetStatus(&context, {}, &status);
  EXPECT_TRUE(answer.ok()) << answer.error_message();
  for (const v1::ExperimentStatus& one : status.experiments()) {
    if (one.name() != experiment) continue;
    for (const auto& metric : one.metrics()) {
      if (metric.name() == "click") {
        const auto it = metric.outcomes().find("ACCEPTED");
        return it == metric.outcomes().end() ? 0 : it->second;
      }
    }
  }
  return 0;
}

std::string RouterCase::Sign(const std::string& key, const std::string& genuine,
                             absl::Time time, const std::string& experiment) {
  const client::TokenFields like = *client::ReadToken(genuine);
  experiment::Decision decision;
  decision.experiment = client::ExperimentId(experiment);
  decision.epoch = like.epoch;
  decision.propensity = like.propensity;
  decision.time_ms = absl::ToUnixMillis(time);
  decision.id = decision.unit = ++last_id_;
  decision.features.assign(like.features.begin(), like.features.end());
  std::string token;
  experiment::TokenSigner(key).Sign(decision, &token);
  return token;
}

}  // namespace bandit::testing
