// SPDX-License-Identifier: Apache-2.0
// The C++ client and the real router, with model servers behind it.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "bandit/client/client.h"
#include "bandit/client/hashing.h"
#include "bandit/client/token.h"
#include "bandit/v1/admin.grpc.pb.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/experiment/token.h"
#include "tests/integration/client_cpp/model_server.h"
#include "tests/integration/durability/router_process.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::client {
namespace {

using ::bandit::testing::ModelServer;
using ::bandit::testing::RouterProcess;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kLong = absl::Minutes(1);
constexpr char kTokenKey[] = "key";

// `ranker` chooses the model, the overlay `prompt` sets metadata, and `sketch`
// lies over both but counts nothing yet.
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

class RouterTest : public ::testing::Test {
 protected:
  RouterTest() { Start(); }

  // The second time on the first time's port.
  void Start() {
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

  std::string Target() const { return fmt::format("127.0.0.1:{}", port_); }

  std::unique_ptr<Client> MakeClient(RewardSenderOptions rewards = {}) {
    ClientOptions options;
    // A channel that no other test's router failed.
    options.channel.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    rewards.linger = absl::ZeroDuration();
    rewards.first_backoff = absl::Milliseconds(20);
    rewards.max_backoff = absl::Milliseconds(200);
    options.rewards = std::move(rewards);
    return std::make_unique<Client>(
        Target(), grpc::InsecureChannelCredentials(), options);
  }

  // Of the version that served.
  std::string Infer(Client& client, const std::string& model = "m",
                    grpc::StatusCode expected = grpc::StatusCode::OK) {
    const auto stub =
        inference::GRPCInferenceService::NewStub(client.channel());
    grpc::ClientContext context;
    inference::ModelInferRequest request;
    request.set_model_name(model);
    inference::ModelInferResponse response;
    const grpc::Status status = stub->ModelInfer(&context, request, &response);
    EXPECT_EQ(status.error_code(), expected) << status.error_message();
    return response.model_version();
  }

  // Rewards that the router counted for `metric` click of the experiment.
  uint64_t Accepted(const std::string& experiment) {
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

  // A decision like the one of `genuine`, of its own id, signed with `key`.
  std::string Sign(const std::string& key, const std::string& genuine,
                   absl::Time time, const std::string& experiment = "ranker") {
    const TokenFields like = *ReadToken(genuine);
    experiment::Decision decision;
    decision.experiment = ExperimentId(experiment);
    decision.epoch = like.epoch;
    decision.propensity = like.propensity;
    decision.time_ms = absl::ToUnixMillis(time);
    decision.id = decision.unit = ++last_id_;
    decision.features.assign(like.features.begin(), like.features.end());
    std::string token;
    experiment::TokenSigner(key).Sign(decision, &token);
    return token;
  }

  ModelServer models_[2] = {ModelServer("a"), ModelServer("b")};
  bandit::testing::TemporaryDirectory files_;
  int port_ = 0;
  uint64_t last_id_ = 0;
  std::unique_ptr<RouterProcess> router_;
};

TEST_F(RouterTest, AScopeGivesTheUnitAndFeaturesAndGetsTheDecisions) {
  const auto client = MakeClient();
  const Scope scope(
      Subject().Unit("user-7").Feature("x-device", "web").Feature("x-age", 31));
  const std::string version = Infer(*client);

  const Decisions decisions = scope.decisions();
  ASSERT_THAT(decisions, SizeIs(3));
  // The one that chose the backend is the main one, wherever it stands in the
  // config; the draft has an arm and no token, and takes nobody else's.
  EXPECT_EQ(scope.decision(), decisions[0]);
  EXPECT_EQ(decisions[0].experiment, "ranker");
  EXPECT_EQ(decisions[0].arm, version == "a" ? "control" : "new");
  EXPECT_TRUE(decisions[0].counted());
  EXPECT_EQ(decisions[1], (Decision{"", "sketch", "plain", "draft"}));
  EXPECT_EQ(decisions[2].experiment, "prompt");
  EXPECT_TRUE(decisions[2].counted());

  const auto fields = ReadToken(decisions[0].token);
  ASSERT_TRUE(fields.ok()) << fields.status();
  EXPECT_EQ(fields->experiment, ExperimentId("ranker"));
  EXPECT_EQ(fields->arm, version == "a" ? 0u : 1u);
  EXPECT_EQ(fields->unit, HashUnit(Purpose::kArm, "ranker", "user-7"));
  EXPECT_FALSE(fields->own_unit);
  // Intercept, the two devices, the age.
  EXPECT_THAT(fields->features, Contains(31.0F));
  EXPECT_LT(absl::AbsDuration(absl::Now() - fields->time), absl::Minutes(5));
  // The backend sees what the caller sent, and the overlay's.
  const auto seen = models_[version == "a" ? 0 : 1].metadata();
  EXPECT_THAT(seen, Contains(Pair("x-bandit-unit", "user-7")));
  EXPECT_THAT(seen, Contains(Pair("x-prompt", decisions[2].arm)));

  // Each experiment learns by its own token.
  EXPECT_TRUE(client->rewards().SendToAll(decisions, "click", 1).ok());
  EXPECT_EQ(client->rewards().Flush(kLong), 0u);
  EXPECT_EQ(client->rewards().counts().accepted, 2u);
  EXPECT_EQ(Accepted("ranker"), 1u);
  EXPECT_EQ(Accepted("prompt"), 1u);
}

TEST_F(RouterTest, WithoutTheInterceptorTheSameByHand) {
  const auto channel =
      grpc::CreateChannel(Target(), grpc::InsecureChannelCredentials());
  const auto stub = inference::GRPCInferenceService::NewStub(channel);
  grpc::ClientContext context;
  Subject().Unit("user-7").AddTo(&context);
  inference::ModelInferResponse response;
  ASSERT_TRUE(stub->ModelInfer(&context, {}, &response).ok());
  const Decisions decisions = ReadDecisions(context);
  ASSERT_THAT(decisions, SizeIs(3));
  EXPECT_EQ(ReadToken(decisions[0].token)->unit,
            HashUnit(Purpose::kArm, "ranker", "user-7"));
}

// An answer without a message has all metadata at its end.
TEST_F(RouterTest, ABackendsErrorHasItsDecisionToo) {
  const auto client = MakeClient();
  const Scope scope(Subject().Unit("user-7"));
  Infer(*client, "broken", grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(scope.decision().counted());
  EXPECT_EQ(scope.decision().experiment, "ranker");
}

TEST_F(RouterTest, ACallOutsideOfAScopeIsItsOwnUnitAndAScopeSeesOnlyItsOwn) {
  const auto client = MakeClient();
  Infer(*client);
  const auto seen_a = models_[0].metadata();
  const auto seen_b = models_[1].metadata();
  EXPECT_EQ(seen_a.count("x-bandit-unit") + seen_b.count("x-bandit-unit"), 0u);
  const Scope outer(Subject().Unit("outer"));
  {
    const Scope inner(Subject().Unit("inner"));
    Infer(*client);
    EXPECT_THAT(inner.answers().all(), SizeIs(1));
    EXPECT_EQ(ReadToken(inner.decision().token)->unit,
              HashUnit(Purpose::kArm, "ranker", "inner"));
  }
  EXPECT_THAT(outer.answers().all(), IsEmpty());
  EXPECT_FALSE(outer.decision().counted());
  Infer(*client);
  Infer(*client);
  EXPECT_THAT(outer.answers().all(), SizeIs(2));
  EXPECT_EQ(ReadToken(outer.decision().token)->unit,
            HashUnit(Purpose::kArm, "ranker", "outer"));
}

TEST_F(RouterTest, AStreamHasItsDecisionWithItsFirstMessage) {
  const auto client = MakeClient();
  const Scope scope(Subject().Unit("user-7").Feature("x-device", "ios"));
  const auto stub = inference::GRPCInferenceService::NewStub(client->channel());
  grpc::ClientContext context;
  const auto stream = stub->ModelStreamInfer(&context);
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(stream->Write({}));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(scope.decision().counted());
  EXPECT_EQ(
      scope.decision().arm,
      response.infer_response().model_version() == "a" ? "control" : "new");
  ASSERT_TRUE(stream->Write({}));
  ASSERT_TRUE(stream->Read(&response));
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
  // One answer, however many messages.
  EXPECT_THAT(scope.answers().all(), SizeIs(1));
}

// The callback comes on gRPC's thread, after the scope has ended.
TEST_F(RouterTest, AnAsynchronousCallsAnswerOutlivesItsScope) {
  const auto client = MakeClient();
  const auto stub = inference::GRPCInferenceService::NewStub(client->channel());
  constexpr int kCalls = 20;
  struct Call {
    grpc::ClientContext context;
    inference::ModelInferRequest request;
    inference::ModelInferResponse response;
    absl::Notification done;
  };
  std::vector<Call> calls(kCalls);
  std::vector<Answers> answers;
  for (int i = 0; i < kCalls; ++i) {
    const Scope scope(Subject().Unit(fmt::format("user-{}", i)));
    Call& call = calls[i];
    stub->async()->ModelInfer(&call.context, &call.request, &call.response,
                              [&call](const grpc::Status& status) {
                                EXPECT_TRUE(status.ok());
                                call.done.Notify();
                              });
    answers.push_back(scope.answers());
  }
  for (int i = 0; i < kCalls; ++i) {
    calls[i].done.WaitForNotification();
    EXPECT_EQ(ReadToken(answers[i].decision().token)->unit,
              HashUnit(Purpose::kArm, "ranker", fmt::format("user-{}", i)));
  }
}

TEST_F(RouterTest, ThreadsDoNotSeeEachOthersScopes) {
  const auto client = MakeClient();
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string unit = fmt::format("user-{}-{}", t, i);
        const Scope scope(Subject().Unit(unit));
        Infer(*client);
        EXPECT_EQ(ReadToken(scope.decision().token)->unit,
                  HashUnit(Purpose::kArm, "ranker", unit));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(RouterTest, TheRouterSaysWhatItDoesNotCount) {
  std::vector<std::pair<std::string, std::string>> refused;
  RewardSenderOptions options;
  options.on_refused = [&](const Reward& reward, Outcome outcome) {
    refused.emplace_back(reward.metric, Name(outcome));
  };
  const auto client = MakeClient(options);
  RewardSender& rewards = client->rewards();
  const absl::Time now = absl::Now();
  const auto send = [&](const std::string& token, const std::string& metric) {
    ASSERT_TRUE(rewards.Send(Reward{token, metric, 1, ""}).ok());
  };
  std::string genuine;
  {
    const Scope scope(Subject().Unit("user-7"));
    Infer(*client);
    genuine = scope.decision().token;
  }
  send(genuine, "click");
  send(genuine, "click");
  // All but its key as a token must be.
  send(Sign(kTokenKey, genuine, now), "click");
  send(genuine, "undeclared");
  send(Sign("another key", genuine, now), "click");
  send(Sign(kTokenKey, genuine, now - absl::Hours(1)), "click");
  send(Sign(kTokenKey, genuine, now, "gone"), "click");
  ASSERT_TRUE(rewards.Send(Reward{"", "click", 1, "never-seen"}).ok());
  EXPECT_EQ(rewards.Flush(kLong), 0u);
  const RewardCounts counts = rewards.counts();
  EXPECT_EQ(counts.accepted, 2u);
  EXPECT_EQ(counts.duplicate, 1u);
  EXPECT_EQ(counts.rejected, 2u);
  EXPECT_EQ(counts.late, 1u);
  EXPECT_EQ(counts.unknown, 2u);
  EXPECT_THAT(refused, UnorderedElementsAre(
                           Pair("undeclared", "REJECTED"),
                           Pair("click", "REJECTED"), Pair("click", "LATE"),
                           Pair("click", "UNKNOWN"), Pair("click", "UNKNOWN")));
}

TEST_F(RouterTest, ARewardGoesByRequestIdToo) {
  const auto client = MakeClient();
  const Scope scope(Subject().Unit("u").Feature("x-request-id", "request-7"));
  Infer(*client);
  RewardSender& rewards = client->rewards();
  ASSERT_TRUE(rewards.Send(Reward{"", "click", 1, "request-7"}).ok());
  EXPECT_EQ(rewards.Flush(kLong), 0u);
  EXPECT_EQ(rewards.counts().accepted, 1u);
  EXPECT_EQ(Accepted("ranker"), 1u);
}

TEST_F(RouterTest, RewardsWaitForARouterThatIsDown) {
  constexpr int kRewards = 300;
  const auto client = MakeClient();
  std::vector<std::string> tokens;
  for (int i = 0; i < kRewards; ++i) {
    const Scope scope(Subject().Unit(fmt::format("user-{}", i)));
    Infer(*client);
    tokens.push_back(scope.decision().token);
  }
  RewardSender& rewards = client->rewards();
  for (int i = 0; i < kRewards; ++i) {
    // In the midst of it: some are durable, some under way, some to come.
    if (i == kRewards / 2) router_->Kill();
    ASSERT_TRUE(rewards.Send(Reward{tokens[i], "click", 1, ""}).ok());
  }
  EXPECT_GT(rewards.Flush(absl::Milliseconds(300)), 0u);
  EXPECT_GT(rewards.counts().retries, 0u);
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_EQ(rewards.Flush(kLong), 0u);
  const RewardCounts counts = rewards.counts();
  EXPECT_EQ(counts.accepted + counts.duplicate, uint64_t{kRewards});
  EXPECT_THAT(rewards.Close(kLong), IsEmpty());
  // And again: each was counted once.
  const auto again = MakeClient();
  for (const std::string& token : tokens) {
    ASSERT_TRUE(again->rewards().Send(Reward{token, "click", 1, ""}).ok());
  }
  EXPECT_EQ(again->rewards().Flush(kLong), 0u);
  EXPECT_EQ(again->rewards().counts().duplicate, uint64_t{kRewards});
}

TEST_F(RouterTest, InferenceGoesOnWithoutAScopesMetadataThatCannotBeSent) {
  const auto client = MakeClient();
  const Scope scope(Subject().Unit("jos\xc3\xa9"));
  EXPECT_FALSE(scope.subject().status().ok());
  Infer(*client);
  EXPECT_TRUE(ReadToken(scope.decision().token)->own_unit);
}

}  // namespace
}  // namespace bandit::client
