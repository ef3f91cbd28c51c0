// SPDX-License-Identifier: Apache-2.0
#include "router/learning/errands.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace bandit::learning {
namespace {

class ErrandsTest : public ::testing::Test {
 protected:
  // As the learner does: until something was run.
  void RunOnce() {
    wakeup_.Wait(Wakeup::Clock::now() + std::chrono::seconds(30));
    errands_.Run();
  }

  Wakeup wakeup_;
  Errands errands_{&wakeup_};
};

TEST_F(ErrandsTest, BeforeTheLearnerRunsNobodyWaits) {
  std::string said;
  errands_.Post([&](bool open) { said = open ? "open" : "closed"; });
  EXPECT_EQ(said, "closed");
  bool ran = false;
  const absl::Status status = errands_.Do([&] {
    ran = true;
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(ran);
}

TEST_F(ErrandsTest, AreRunInTheirOrderByTheLearner) {
  errands_.Open();
  std::vector<int> order;
  for (const int i : {1, 2, 3}) {
    errands_.Post([&order, i](bool open) { order.push_back(open ? i : -i); });
  }
  EXPECT_TRUE(order.empty());
  RunOnce();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST_F(ErrandsTest, WhoPostsWhileOneRunsIsServedByTheNextRun) {
  errands_.Open();
  int runs = 0;
  errands_.Post([&](bool) { errands_.Post([&](bool) { ++runs; }); });
  RunOnce();
  EXPECT_EQ(runs, 0);
  RunOnce();
  EXPECT_EQ(runs, 1);
}

TEST_F(ErrandsTest, DoWaitsAndGivesTheTasksStatus) {
  errands_.Open();
  absl::Status status;
  std::thread caller([&] {
    status = errands_.Do([] { return absl::NotFoundError("no such arm"); });
  });
  RunOnce();
  caller.join();
  EXPECT_EQ(status, absl::NotFoundError("no such arm"));
}

TEST_F(ErrandsTest, WhatIsLeftAtTheEndIsToldSo) {
  errands_.Open();
  std::string said;
  errands_.Post([&](bool open) { said = open ? "open" : "closed"; });
  errands_.Close();
  EXPECT_FALSE(errands_.open());
  EXPECT_EQ(said, "");
  errands_.Run();
  EXPECT_EQ(said, "closed");
}

}  // namespace
}  // namespace bandit::learning
