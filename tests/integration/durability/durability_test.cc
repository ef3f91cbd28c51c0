// SPDX-License-Identifier: Apache-2.0
// Rewards under kill -9: what was acknowledged is there, each exactly once.
#include <grpcpp/create_channel.h>

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "bandit/v1/admin.grpc.pb.h"
#include "gtest/gtest.h"
#include "tests/integration/durability/reward_load.h"
#include "tests/integration/durability/router_process.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::testing {
namespace {

constexpr int kKills = 12;
constexpr int kClients = 3;

class DurabilityTest : public ::testing::Test {
 protected:
  DurabilityTest() {
    for (uint64_t client = 0; client < kClients; ++client) {
      loads_.emplace_back(
          RewardLoad::Target{
              .token_key = "key", .experiment = "ranker", .metric = "click"},
          /*seed=*/1000 + client);
    }
  }

  void StartServer() {
    auto started = RouterProcess::Start(
        {BANDIT_REWARD_SERVER, files_.StateUri(), "key"}, "control ([0-9]+)");
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    // A new channel: the old one may be waiting to reconnect.
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channel_ = grpc::CreateCustomChannel(
        "127.0.0.1:" + std::to_string(server_->control_port()),
        grpc::InsecureChannelCredentials(), own);
  }

  void CheckContradictions() {
    for (const RewardLoad& load : loads_) {
      ASSERT_TRUE(load.contradictions().empty())
          << load.contradictions().size()
          << ", the first: " << load.contradictions().front();
    }
  }

  v1::ExperimentStatus Status() {
    grpc::ClientContext context;
    v1::RouterStatus status;
    const auto answer =
        v1::Admin::NewStub(channel_)->GetStatus(&context, {}, &status);
    EXPECT_TRUE(answer.ok()) << answer.error_message();
    return status.experiments(0);
  }

  TemporaryDirectory files_;
  std::vector<RewardLoad> loads_;
  std::unique_ptr<RouterProcess> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(DurabilityTest, EveryAcknowledgedRewardIsThereExactlyOnce) {
  std::mt19937_64 random(3);
  for (int round = 0; round < kKills; ++round) {
    ASSERT_NO_FATAL_FAILURE(StartServer());
    std::atomic<uint64_t> answered = 0;
    std::atomic<int> sending = kClients;
    std::vector<std::thread> clients;
    for (RewardLoad& load : loads_) {
      clients.emplace_back([&] {
        const auto stub = v1::Feedback::NewStub(channel_);
        load.SendUntilItFails(*stub, &answered);
        --sending;
      });
    }
    // Random by progress, not by time, so that a slow machine tests as much.
    const uint64_t enough = random() % 2000;
    while (answered < enough && sending > 0) std::this_thread::yield();
    EXPECT_GT(sending, 0) << "a call failed before the kill";
    server_->Kill();
    for (std::thread& client : clients) client.join();
    ASSERT_NO_FATAL_FAILURE(CheckContradictions());
  }
  uint64_t unanswered = 0;
  for (const RewardLoad& load : loads_) unanswered += load.unanswered();
  EXPECT_GT(unanswered, 0u) << "no kill fell into a call";

  ASSERT_NO_FATAL_FAILURE(StartServer());
  for (RewardLoad& load : loads_) {
    const auto stub = v1::Feedback::NewStub(channel_);
    ASSERT_TRUE(load.SendAllAgain(*stub));
    ASSERT_TRUE(load.SendAllAgain(*stub));
  }
  ASSERT_NO_FATAL_FAILURE(CheckContradictions());
  EXPECT_EQ(server_->Terminate(), 0);

  // As the next process reads it from the file.
  ASSERT_NO_FATAL_FAILURE(StartServer());
  const v1::ExperimentStatus status = Status();
  uint64_t total = 0;
  for (uint32_t arm = 0; arm < 2; ++arm) {
    uint64_t count = 0;
    double sum = 0;
    for (const RewardLoad& load : loads_) {
      count += load.count(arm);
      sum += load.sum(arm);
    }
    const v1::ArmStatus& known = status.arms(static_cast<int>(arm));
    EXPECT_EQ(known.reward_count(), static_cast<double>(count));
    EXPECT_EQ(known.reward_mean(), sum / static_cast<double>(count));
    total += count;
  }
  EXPECT_EQ(status.metrics(0).outcomes().at("ACCEPTED"), total);
}

TEST_F(DurabilityTest, ASecondServerOnTheStateIsRefusedAndTheFirstGoesOn) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  const auto second = RouterProcess::Start(
      {BANDIT_REWARD_SERVER, files_.StateUri(), "key"}, "control ([0-9]+)");
  EXPECT_FALSE(second.ok());
  Status();
}

}  // namespace
}  // namespace bandit::testing
