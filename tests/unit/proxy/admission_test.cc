// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/admission.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bandit::proxy {
namespace {

using Verdict = Admission::Verdict;

class AdmissionTest : public ::testing::Test {
 protected:
  struct Request : Admission::Waiter {
    Request(std::string request_name, std::vector<std::string>& admitted_list)
        : name(std::move(request_name)), admitted(admitted_list) {}
    void OnAdmitted() override { admitted.push_back(name); }

    std::string name;
    std::vector<std::string>& admitted;
  };

  Request Make(const char* name) { return Request(name, admitted); }

  void Tick() {
    clock += http2::TimerWheel::kTickNs;
    loop.UpdateTime();
    loop.wheel().Advance();
  }

  int64_t clock = 1'000'000'000;
  http2::Loop loop{[this] { return clock; }};
  Admission::Shared shared;
  Admission admission{loop, shared};
  std::vector<std::string> admitted;
};

TEST_F(AdmissionTest, WithoutALimitNothingIsCounted) {
  Request request = Make("a");
  EXPECT_EQ(admission.Enter(request), Verdict::kAdmitted);
  EXPECT_EQ(shared.running, 0u);
  admission.Leave(request);
  EXPECT_EQ(shared.running, 0u);
}

TEST_F(AdmissionTest, RequestsWaitInOrderAndBeyondTheQueueAreRefused) {
  admission.Configure(/*max_requests=*/1, /*queue=*/2);
  Request a = Make("a"), b = Make("b"), c = Make("c"), d = Make("d");
  EXPECT_EQ(admission.Enter(a), Verdict::kAdmitted);
  EXPECT_EQ(admission.Enter(b), Verdict::kWaits);
  EXPECT_EQ(admission.Enter(c), Verdict::kWaits);
  EXPECT_EQ(admission.Enter(d), Verdict::kFull);
  EXPECT_TRUE(c.waiting());
  EXPECT_FALSE(d.waiting());
  admission.Leave(d);  // As every request does at its end.
  admission.Leave(a);
  EXPECT_EQ(admitted, std::vector<std::string>({"b"}));
  EXPECT_FALSE(b.waiting());
  admission.Leave(b);
  admission.Leave(c);
  EXPECT_EQ(admitted, std::vector<std::string>({"b", "c"}));
  EXPECT_EQ(shared.running, 0u);
  EXPECT_EQ(shared.waiting, 0u);
}

TEST_F(AdmissionTest, OneThatGivesUpMakesRoomInTheQueue) {
  admission.Configure(1, 2);
  Request a = Make("a"), b = Make("b"), c = Make("c"), d = Make("d");
  admission.Enter(a);
  admission.Enter(b);
  admission.Enter(c);
  admission.Leave(b);
  EXPECT_EQ(admission.Enter(d), Verdict::kWaits);
  admission.Leave(a);
  admission.Leave(c);
  EXPECT_EQ(admitted, std::vector<std::string>({"c", "d"}));
  admission.Leave(d);
  EXPECT_EQ(shared.waiting, 0u);
}

// Who comes while others wait goes behind them.
TEST_F(AdmissionTest, NobodyPassesTheQueue) {
  admission.Configure(1, 5);
  Admission other{loop, shared};
  other.Configure(1, 5);
  Request a = Make("a"), b = Make("b"), c = Make("c");
  other.Enter(a);
  EXPECT_EQ(admission.Enter(b), Verdict::kWaits);
  other.Leave(a);
  EXPECT_EQ(admission.Enter(c), Verdict::kWaits);
  Tick();
  EXPECT_EQ(admitted, std::vector<std::string>({"b"}));
  admission.Leave(b);
  admission.Leave(c);
}

TEST_F(AdmissionTest, TheBoundIsThatOfAllWorkersAndRoomIsSeenWithinATick) {
  admission.Configure(1, 1);
  Admission other{loop, shared};
  other.Configure(1, 1);
  Request a = Make("a"), b = Make("b"), c = Make("c");
  EXPECT_EQ(other.Enter(a), Verdict::kAdmitted);
  EXPECT_EQ(admission.Enter(b), Verdict::kWaits);
  EXPECT_EQ(other.Enter(c), Verdict::kFull);
  other.Leave(a);
  EXPECT_TRUE(admitted.empty());
  Tick();
  EXPECT_EQ(admitted, std::vector<std::string>({"b"}));
  admission.Leave(b);
  EXPECT_EQ(shared.running, 0u);
}

TEST_F(AdmissionTest, AConfigThatAllowsMoreLetsThemIn) {
  admission.Configure(1, 5);
  Request a = Make("a"), b = Make("b"), c = Make("c");
  admission.Enter(a);
  admission.Enter(b);
  admission.Enter(c);
  admission.Configure(2, 5);
  EXPECT_EQ(admitted, std::vector<std::string>({"b"}));
  admission.Configure(0, 5);
  EXPECT_EQ(admitted, std::vector<std::string>({"b", "c"}));
  admission.Leave(a);
  admission.Leave(b);
  admission.Leave(c);
  EXPECT_EQ(shared.running, 0u);
}

}  // namespace
}  // namespace bandit::proxy
