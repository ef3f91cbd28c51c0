// SPDX-License-Identifier: Apache-2.0
// What of a worker's backends outlives a reload, and what /metrics is told.
#include "router/proxy/backend_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "router/proxy/backend_reporter.h"

namespace bandit::proxy {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using upstream::Backend;

class BackendSetTest : public ::testing::Test {
 protected:
  // A backend that is not connected to by itself: a name that nobody asks for.
  static experiment::Backend Spec(const std::string& name) {
    experiment::Backend spec;
    spec.name = name;
    spec.config.add_address("unix:/nowhere/" + name);
    spec.config.mutable_connect_timeout()->set_seconds(5);
    spec.config.mutable_resolve_every()->set_seconds(30);
    spec.config.set_max_connections(4);
    return spec;
  }

  static experiment::Plan PlanOf(std::vector<experiment::Backend> backends) {
    experiment::Plan plan;
    plan.backends = std::move(backends);
    plan.limits.set_stream_window(262144);
    plan.limits.set_max_header_list(65536);
    plan.limits.set_max_concurrent_streams(1000);
    return plan;
  }

  std::vector<std::shared_ptr<Backend>> Make(const experiment::Plan& plan,
                                             const BackendSet& before = {}) {
    return MakeBackends(loop, plan, before, &circuits, nullptr, random);
  }

  http2::Loop loop;
  upstream::Circuits circuits;
  std::mt19937_64 random{1};
};

TEST_F(BackendSetTest, WhatIsConfiguredAsBeforeIsTheSameObject) {
  const experiment::Plan plan = PlanOf({Spec("a"), Spec("b")});
  const auto first = Make(plan);
  const experiment::Plan next = PlanOf({Spec("0"), Spec("a"), Spec("b")});
  const auto second = Make(next, {&plan, &first});
  ASSERT_THAT(second, SizeIs(3));
  EXPECT_EQ(second[1], first[0]);
  EXPECT_EQ(second[2], first[1]);
}

TEST_F(BackendSetTest, WhatIsConfiguredOtherwiseIsMadeAnew) {
  const experiment::Plan plan = PlanOf({Spec("a"), Spec("b")});
  const auto first = Make(plan);
  experiment::Plan next = plan;
  next.backends[0].config.mutable_outliers()->set_consecutive_failures(9);
  const auto second = Make(next, {&plan, &first});
  EXPECT_NE(second[0], first[0]);
  EXPECT_EQ(second[1], first[1]);
}

TEST_F(BackendSetTest, LimitsOfConnectionsHoldForAllOfThem) {
  const experiment::Plan plan = PlanOf({Spec("a")});
  const auto first = Make(plan);
  experiment::Plan next = plan;
  next.limits.set_stream_window(16384);
  EXPECT_NE(Make(next, {&plan, &first})[0], first[0]);
}

TEST_F(BackendSetTest, WorkersShareABackendsCircuit) {
  experiment::Plan plan = PlanOf({Spec("a")});
  plan.backends[0].config.set_max_requests(1);
  const auto one = Make(plan);
  const auto two = Make(plan);
  EXPECT_TRUE(one[0]->Acquire());
  EXPECT_EQ(two[0]->Acquire().refusal, Backend::Refusal::kCircuitOpen);
}

TEST_F(BackendSetTest, ReportsAddUpToHowThingsAre) {
  const experiment::Plan plan = PlanOf({Spec("a"), Spec("b")});
  const auto backends = Make(plan);
  BackendReporter reporter;
  const auto first = reporter.Take(backends);
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0].first, "a");
  learning::BackendCounts sum = first[0].second;
  EXPECT_EQ(sum.endpoints[1], 1);  // Connecting.
  // Nothing has changed.
  EXPECT_THAT(reporter.Take(backends), IsEmpty());

  backends[0]->Acquire();
  const auto second = reporter.Take(backends);
  ASSERT_THAT(second, SizeIs(1));
  sum.Merge(second[0].second);
  EXPECT_EQ(sum.connections, 1);

  // It is in use no more: what it had there is taken back.
  const auto third = reporter.Take({backends[1]});
  ASSERT_THAT(third, SizeIs(1));
  EXPECT_EQ(third[0].first, "a");
  sum.Merge(third[0].second);
  EXPECT_EQ(sum, learning::BackendCounts{});
  EXPECT_THAT(reporter.Take({backends[1]}), IsEmpty());
}

TEST_F(BackendSetTest, ABackendMadeAnewIsReportedAnew) {
  const experiment::Plan plan = PlanOf({Spec("a")});
  BackendReporter reporter;
  learning::BackendCounts sum;
  for (int i = 0; i < 3; ++i) {
    for (const auto& [name, change] : reporter.Take(Make(plan))) {
      EXPECT_EQ(name, "a");
      sum.Merge(change);
    }
    EXPECT_EQ(sum.endpoints[1], 1) << i;
  }
}

}  // namespace
}  // namespace bandit::proxy
