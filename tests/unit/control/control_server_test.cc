// SPDX-License-Identifier: Apache-2.0
// The control plane over real gRPC, on port 0.
#include "router/control/control_server.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <unistd.h>

#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/control/control_fixture.h"

namespace bandit::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ControlServerTest : public bandit::testing::ControlFixture {
 protected:
  ControlServerTest()
      : internal_("unix-abstract:bandit-control-test-" +
                  std::to_string(getpid())) {}

  void StartServer() {
    auto started = ControlServer::Start(Options("127.0.0.1:0"));
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    ASSERT_GT(server_->port(), 0);
    channel_ = Connect("127.0.0.1:" + std::to_string(server_->port()));
    feedback_ = v1::Feedback::NewStub(channel_);
    admin_ = v1::Admin::NewStub(channel_);
  }

  ControlServer::Options Options(const std::string& address) {
    return {.address = address,
            .internal_address = internal_,
            .version = "1.2.3",
            .started = absl::FromUnixSeconds(5),
            .signer = &signer_,
            .learner = learner_.get()};
  }

  static std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
    return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  }

  v1::RecordRequest Request(const std::vector<std::string>& tokens) {
    v1::RecordRequest request;
    for (const std::string& token : tokens) {
      v1::Reward* reward = request.add_rewards();
      reward->set_decision(token);
      reward->set_value(1);
    }
    return request;
  }

  grpc::Status Record(const v1::RecordRequest& request,
                      v1::RecordResponse* response) {
    grpc::ClientContext context;
    return feedback_->Record(&context, request, response);
  }

  // One message there and one back, of services we have no schema for.
  std::string Ask(const std::string& method, const std::string& bytes) {
    grpc::GenericStub stub(channel_);
    grpc::ClientContext context;
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareCall(&context, method, &queue);
    const auto wait = [&] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    call->StartCall(nullptr);
    EXPECT_TRUE(wait());
    const grpc::Slice slice(bytes);
    call->WriteLast(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), nullptr);
    EXPECT_TRUE(wait());
    grpc::ByteBuffer answer;
    call->Read(&answer, nullptr);
    std::string text;
    if (wait()) {
      std::vector<grpc::Slice> slices;
      EXPECT_TRUE(answer.Dump(&slices).ok());
      for (const grpc::Slice& part : slices) {
        text.append(reinterpret_cast<const char*>(part.begin()), part.size());
      }
    }
    grpc::Status status;
    call->Finish(&status, nullptr);
    wait();
    return text;
  }

  // grpc.health.v1: HealthCheckRequest.service = 1, response.status = 1.
  int Health(const std::string& service) {
    std::string request;
    if (!service.empty()) {
      request =
          std::string("\x0a") + static_cast<char>(service.size()) + service;
    }
    const std::string answer = Ask("/grpc.health.v1.Health/Check", request);
    return answer.size() == 2 && answer[0] == 8 ? answer[1] : -1;
  }

  const std::string internal_;
  std::unique_ptr<ControlServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Feedback::Stub> feedback_;
  std::unique_ptr<v1::Admin::Stub> admin_;
};

TEST_F(ControlServerTest, RecordAnswersEveryRewardInOrder) {
  StartServer();
  StartLearner();
  v1::RecordResponse response;
  const auto status =
      Record(Request({Token(1), "forged", Token(2), Token(1)}), &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(response.outcomes(), ElementsAre(v1::ACCEPTED, v1::REJECTED,
                                               v1::ACCEPTED, v1::DUPLICATE));
}

TEST_F(ControlServerTest, TheDataPlaneReachesTheSameServices) {
  StartServer();
  StartLearner();
  const auto stub = v1::Feedback::NewStub(Connect(internal_));
  grpc::ClientContext context;
  v1::RecordResponse response;
  ASSERT_TRUE(stub->Record(&context, Request({Token(1)}), &response).ok());
  EXPECT_THAT(response.outcomes(), ElementsAre(v1::ACCEPTED));
}

TEST_F(ControlServerTest, AFullQueueIsResourceExhausted) {
  StartServer();  // The learner does not run: nothing leaves its queue.
  std::vector<std::string> tokens;
  for (uint64_t id = 0; id < 101; ++id) tokens.push_back(Token(id));
  v1::RecordResponse response;
  const auto status = Record(Request(tokens), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("learner.queue = 100"));
}

TEST_F(ControlServerTest, ABrokenStoreIsUnavailableAndHealthSaysSo) {
  StartServer();
  learner_->WatchStore(
      [this](bool works) { server_->SetFeedbackServing(works); });
  StartLearner();
  faults_->calls_left = 0;
  v1::RecordResponse response;
  EXPECT_EQ(Record(Request({Token(1)}), &response).error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Health("bandit.v1.Feedback"), 2);
  // Whether requests can be served is another matter.
  EXPECT_EQ(Health(""), 2);
  server_->SetReady(true);
  EXPECT_EQ(Health(""), 1);
  EXPECT_EQ(Health("bandit.v1.Admin"), 1);
  faults_->calls_left = -1;
  ASSERT_TRUE(Record(Request({Token(1)}), &response).ok());
  EXPECT_THAT(response.outcomes(), ElementsAre(v1::ACCEPTED));
  EXPECT_EQ(Health("bandit.v1.Feedback"), 1);
}

TEST_F(ControlServerTest, AStreamAnswersEachRequestInOrder) {
  StartServer();
  StartLearner();
  grpc::ClientContext context;
  const auto stream = feedback_->Stream(&context);
  constexpr uint64_t kRequests = 200;
  std::thread writer([&] {
    for (uint64_t i = 0; i < kRequests; ++i) {
      // As many rewards as the place in the order, modulo 3.
      std::vector<std::string> tokens(i % 3, "forged");
      tokens.push_back(Token(i));
      ASSERT_TRUE(stream->Write(Request(tokens)));
    }
    stream->WritesDone();
  });
  for (uint64_t i = 0; i < kRequests; ++i) {
    v1::RecordResponse response;
    ASSERT_TRUE(stream->Read(&response));
    ASSERT_EQ(response.outcomes_size(), static_cast<int>(i % 3 + 1));
    EXPECT_EQ(response.outcomes(response.outcomes_size() - 1), v1::ACCEPTED);
  }
  writer.join();
  v1::RecordResponse none;
  EXPECT_FALSE(stream->Read(&none));
  EXPECT_TRUE(stream->Finish().ok());
}

// Answers travel while the next request is still being verified: it must not be
// overwritten by the one after. Requests are long, so that this happens.
TEST_F(ControlServerTest, AStreamReadsNoRequestOverTheOneBefore) {
  StartServer();
  StartLearner();
  grpc::ClientContext context;
  const auto stream = feedback_->Stream(&context);
  constexpr uint64_t kRequests = 300;
  constexpr size_t kForged = 1000;
  std::string forged = Token(1'000'000);
  forged[10] = forged[10] == 'A' ? 'B' : 'A';
  std::thread writer([&] {
    for (uint64_t i = 0; i < kRequests; ++i) {
      std::vector<std::string> tokens(kForged, forged);
      tokens.push_back(Token(i));
      ASSERT_TRUE(stream->Write(Request(tokens)));
    }
    stream->WritesDone();
  });
  for (uint64_t i = 0; i < kRequests; ++i) {
    v1::RecordResponse response;
    ASSERT_TRUE(stream->Read(&response));
    ASSERT_EQ(response.outcomes_size(), static_cast<int>(kForged + 1));
    EXPECT_EQ(response.outcomes(kForged), v1::ACCEPTED) << "request " << i;
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ControlServerTest, ARefusedRequestEndsItsStreamAfterTheAnswersBefore) {
  StartServer();
  grpc::ClientContext context;
  const auto stream = feedback_->Stream(&context);
  ASSERT_TRUE(stream->Write(Request({Token(1)})));
  std::vector<std::string> tokens;
  for (uint64_t id = 10; id < 111; ++id) tokens.push_back(Token(id));
  ASSERT_TRUE(stream->Write(Request(tokens)));
  StartLearner();
  v1::RecordResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_THAT(response.outcomes(), ElementsAre(v1::ACCEPTED));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// The client goes away while its rewards wait; they are counted still.
TEST_F(ControlServerTest, ACancelledStreamIsCleanedUp) {
  StartServer();
  {
    grpc::ClientContext context;
    const auto stream = feedback_->Stream(&context);
    for (uint64_t id = 0; id < 10; ++id) {
      ASSERT_TRUE(stream->Write(Request({Token(id)})));
    }
    context.TryCancel();
    stream->Finish();
  }
  StartLearner();
  v1::RecordResponse response;
  ASSERT_TRUE(Record(Request({Token(99)}), &response).ok());
  server_->Shutdown(absl::Seconds(10));
}

TEST_F(ControlServerTest, StatusDescribesExperimentsArmsAndMetrics) {
  StartServer();
  StartLearner();
  worker_->Count([&](learning::WorkerStatistics& statistics) {
    for (uint64_t id = 0; id < 3; ++id) {
      statistics.OnDecision(0, MakeOne(id, 1));
      statistics.OnStart(0, 1);
    }
    statistics.OnFinish(
        0, MakeOne(1, 1),
        {.code = 0, .latency_ns = 3'000'000, .ttfb_ns = 1'500'000});
    statistics.OnFinish(0, MakeOne(2, 1), {.code = 404, .latency_ns = 1000});
  });
  v1::RecordResponse response;
  ASSERT_TRUE(Record(Request({Token(1, 1), Token(1, 1)}), &response).ok());
  worker_->AwaitTick();
  grpc::ClientContext context;
  v1::RouterStatus status;
  ASSERT_TRUE(admin_->GetStatus(&context, {}, &status).ok());
  EXPECT_EQ(status.version(), "1.2.3");
  EXPECT_EQ(status.started().seconds(), 5);
  EXPECT_EQ(status.learned().seconds(), absl::ToUnixSeconds(clock_.Now()));
  EXPECT_THAT(status.degraded(), IsEmpty());
  ASSERT_EQ(status.experiments_size(), 1);
  const v1::ExperimentStatus& ranker = status.experiments(0);
  EXPECT_EQ(ranker.name(), "ranker");
  EXPECT_EQ(ranker.epoch(), 1u);
  EXPECT_EQ(ranker.policy(), "thompson");
  EXPECT_EQ(ranker.reward_metric(), "rating");
  EXPECT_EQ(ranker.decisions(), 3u);
  ASSERT_EQ(ranker.arms_size(), 2);
  const v1::ArmStatus& arm = ranker.arms(1);
  EXPECT_EQ(arm.name(), "candidate");
  EXPECT_EQ(arm.backend(), "backend");
  EXPECT_EQ(arm.probability(), 0.5);
  EXPECT_EQ(arm.decisions(), 3u);
  EXPECT_EQ(arm.in_flight(), 1u);
  EXPECT_EQ(arm.reward_count(), 1);
  EXPECT_EQ(arm.reward_mean(), 1);
  EXPECT_EQ(arm.codes().at("OK"), 1u);
  EXPECT_EQ(arm.codes().at("HTTP_404"), 1u);
  EXPECT_NEAR(arm.latency().p99().nanos(), 3e6, 3e4);
  EXPECT_NEAR(arm.ttfb().p50().nanos(), 1.5e6, 1.5e4);
  ASSERT_EQ(ranker.metrics_size(), 2);
  EXPECT_EQ(ranker.metrics(0).name(), "rating");
  EXPECT_EQ(ranker.metrics(0).outcomes().at("ACCEPTED"), 1u);
  EXPECT_EQ(ranker.metrics(0).outcomes().at("DUPLICATE"), 1u);
}

TEST_F(ControlServerTest, StatusOfAnExperimentThatIsNotThereIsNotFound) {
  StartServer();
  grpc::ClientContext context;
  v1::GetStatusRequest request;
  request.set_experiment("nobody");
  v1::RouterStatus status;
  const auto answer = admin_->GetStatus(&context, request, &status);
  EXPECT_EQ(answer.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(answer.error_message(), HasSubstr("nobody"));
}

TEST_F(ControlServerTest, ToldOfGuardrailsAndReinstates) {
  StartServer();
  StartLearner();
  worker_->Count([&](learning::WorkerStatistics& statistics) {
    for (uint64_t id = 0; id < 100; ++id) {
      statistics.OnStart(0, 1);
      statistics.OnFinish(0, MakeOne(id, 1), {.code = 14});
    }
  });
  worker_->AwaitTick();
  worker_->AwaitTick();
  const auto ask = [&] {
    grpc::ClientContext context;
    v1::RouterStatus status;
    EXPECT_TRUE(admin_->GetStatus(&context, {}, &status).ok());
    return status.experiments(0);
  };
  v1::ExperimentStatus ranker = ask();
  EXPECT_TRUE(ranker.held());
  EXPECT_EQ(ranker.arms(0).state(), "active");
  const v1::ArmStatus& ejected = ranker.arms(1);
  EXPECT_EQ(ejected.state(), "ejected");
  EXPECT_EQ(ejected.probability(), 0);
  EXPECT_THAT(ejected.state_reason(),
              HasSubstr("error below 0.02: 1 over 100"));
  EXPECT_TRUE(ejected.has_state_since());
  EXPECT_TRUE(ejected.has_state_until());
  ASSERT_EQ(ranker.guardrails_size(), 2);
  EXPECT_EQ(ranker.guardrails(1).arm(), "candidate");
  EXPECT_EQ(ranker.guardrails(1).rule(), "error below 0.02");
  EXPECT_EQ(ranker.guardrails(1).action(), "eject");
  EXPECT_TRUE(ranker.guardrails(1).broken());
  EXPECT_EQ(ranker.guardrails(1).trips(), 1);

  const auto reinstate = [&](const std::string& name,
                             const std::string& reason) {
    grpc::ClientContext context;
    v1::ReinstateRequest request;
    request.set_experiment(name);
    request.set_reason(reason);
    v1::ReinstateResponse response;
    return admin_->Reinstate(&context, request, &response).error_code();
  };
  EXPECT_EQ(reinstate("nobody", ""), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(reinstate("ranker", std::string(1001, 'x')),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ask().arms(1).state(), "ejected");
  EXPECT_EQ(reinstate("ranker", "ann"), grpc::StatusCode::OK);
  EXPECT_EQ(ask().arms(1).state(), "active");
  EXPECT_FALSE(ask().held());
}

TEST_F(ControlServerTest, ReflectionListsTheServices) {
  StartServer();
  // ServerReflectionRequest.list_services = 7.
  const std::string answer =
      Ask("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
          std::string("\x3a\x00", 2));
  for (const char* service :
       {"bandit.v1.Feedback", "bandit.v1.Admin", "grpc.health.v1.Health"}) {
    EXPECT_THAT(answer, HasSubstr(service));
  }
}

TEST_F(ControlServerTest, ATakenPortIsRefusedByName) {
  StartServer();
  const std::string taken = "127.0.0.1:" + std::to_string(server_->port());
  auto options = Options(taken);
  options.internal_address.clear();
  const auto second = ControlServer::Start(options);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(taken));
}

TEST_F(ControlServerTest, ShutdownLetsCallsUnderWayEnd) {
  StartServer();
  v1::RecordResponse response;
  grpc::Status status;
  std::thread client([&] { status = Record(Request({Token(1)}), &response); });
  while (learner_->queue_length() == 0) std::this_thread::yield();
  std::thread stopper([&] { server_->Shutdown(absl::Minutes(1)); });
  StartLearner();
  stopper.join();
  client.join();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(response.outcomes(), ElementsAre(v1::ACCEPTED));
}

}  // namespace
}  // namespace bandit::control
