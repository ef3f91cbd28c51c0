// SPDX-License-Identifier: Apache-2.0
// Calls through the real router: units and features out, decisions in.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "bandit/client/hashing.h"
#include "bandit/client/token.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/integration/client_cpp/router_case.h"

namespace bandit::client {
namespace {

using ::bandit::testing::kLong;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

using CallsTest = ::bandit::testing::RouterCase;

TEST_F(CallsTest, AScopeGivesTheUnitAndFeaturesAndGetsTheDecisions) {
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
  EXPECT_TRUE(Shows("ranker", 1));
  EXPECT_TRUE(Shows("prompt", 1));
}

TEST_F(CallsTest, WithoutTheInterceptorTheSameByHand) {
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
TEST_F(CallsTest, ABackendsErrorHasItsDecisionToo) {
  const auto client = MakeClient();
  const Scope scope(Subject().Unit("user-7"));
  Infer(*client, "broken", grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(scope.decision().counted());
  EXPECT_EQ(scope.decision().experiment, "ranker");
}

TEST_F(CallsTest, ACallOutsideOfAScopeIsItsOwnUnitAndAScopeSeesOnlyItsOwn) {
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

TEST_F(CallsTest, AStreamHasItsDecisionWithItsFirstMessage) {
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
TEST_F(CallsTest, AnAsynchronousCallsAnswerOutlivesItsScope) {
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

TEST_F(CallsTest, ThreadsDoNotSeeEachOthersScopes) {
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

TEST_F(CallsTest, InferenceGoesOnWithoutAScopesMetadataThatCannotBeSent) {
  const auto client = MakeClient();
  const Scope scope(Subject().Unit("jos\xc3\xa9"));
  EXPECT_FALSE(scope.subject().status().ok());
  Infer(*client);
  EXPECT_TRUE(ReadToken(scope.decision().token)->own_unit);
}

}  // namespace
}  // namespace bandit::client
