// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/sampler.h"

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "tests/unit/control/control_fixture.h"

namespace bandit::dashboard {
namespace {

class SamplerTest : public bandit::testing::ControlFixture {
 protected:
  SamplerTest() { StartLearner(); }

  // A call of arm 0 that the learner has counted when this returns.
  void Call(int64_t latency_ms, int code = 0) {
    worker_->Count([&](learning::WorkerStatistics& statistics) {
      statistics.OnStart(0, 0);
      statistics.OnFinish(0, MakeOne(1),
                          {.code = code, .latency_ns = latency_ms * 1'000'000});
    });
    worker_->AwaitTick();
  }
  v1::History Get() {
    const auto history =
        history_.Get(plan_->experiments[0].name, absl::InfinitePast());
    EXPECT_TRUE(history.ok()) << history.status();
    return *history;
  }

  History history_{absl::Seconds(2)};
  Events events_;
  Sampler sampler_{learner_.get(), &history_, &events_};
};

TEST_F(SamplerTest, LatenciesAreThoseSinceTheLastSample) {
  const absl::Time start = clock_.Now();
  Call(100);
  sampler_.Look(start);
  Call(5, /*code=*/14);
  sampler_.Look(start + absl::Seconds(2));
  sampler_.Look(start + absl::Seconds(4));
  const v1::History told = Get();
  ASSERT_EQ(told.samples_size(), 3);
  EXPECT_NEAR(told.samples(0).arms(0).p50_ms(), 100, 1);
  EXPECT_NEAR(told.samples(1).arms(0).p99_ms(), 5, 0.05);
  EXPECT_FALSE(told.samples(2).arms(0).has_p50_ms());
  EXPECT_EQ(told.samples(2).arms(0).finished(), 2);
  EXPECT_EQ(told.samples(2).arms(0).errors(), 1);
}

TEST_F(SamplerTest, ItSamplesWhenOneIsDueWhateverTheClockDoes) {
  const absl::Time start = clock_.Now();
  sampler_.Look(start);
  sampler_.Look(start + absl::Seconds(1));
  EXPECT_EQ(Get().samples_size(), 1);
  sampler_.Look(start + absl::Seconds(2));
  EXPECT_EQ(Get().samples_size(), 2);
  // Set back by an hour.
  sampler_.Look(start - absl::Hours(1));
  EXPECT_EQ(Get().samples_size(), 3);
}

TEST_F(SamplerTest, RewardsAreThereByOutcome) {
  const std::vector<learning::Reward> twice(
      2, {.decision = MakeOne(1), .metric = "click", .value = 1});
  absl::Notification done;
  ASSERT_TRUE(
      learner_->Submit(twice, [&](const auto&) { done.Notify(); }).ok());
  done.WaitForNotification();
  worker_->AwaitTick();
  sampler_.Look(clock_.Now());
  const v1::History told = Get();
  ASSERT_EQ(told.metrics(1), "click");
  EXPECT_EQ(told.samples(0).metrics(1).accepted(), 1);
  EXPECT_EQ(told.samples(0).metrics(1).duplicate(), 1);
  EXPECT_EQ(told.samples(0).metrics(1).rejected(), 0);
}

}  // namespace
}  // namespace bandit::dashboard
