// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/lifecycle_text.h"

#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

TEST(LifecycleTextTest, OfOneThatSimplyRunsNothingIsSaid) {
  v1::LifecycleStatus status;
  EXPECT_EQ(RenderLifecycle(status), "");  // Of a router of before.
  status.set_state("running");
  status.set_who("ann");
  status.set_ramp_share(1);
  status.set_ramp_stages(2);
  EXPECT_EQ(RenderLifecycle(status), "");
}

TEST(LifecycleTextTest, OtherStatesComeWithWhoAndWhy) {
  v1::LifecycleStatus status;
  status.set_state("rolled_back");
  status.set_who("ann");
  status.set_why("errors");
  EXPECT_EQ(RenderLifecycle(status), "  rolled back by ann, because errors\n");
  status.set_state("concluded");
  status.set_arm("candidate");
  status.clear_why();
  EXPECT_EQ(RenderLifecycle(status),
            "  concluded, arm candidate for all by ann\n");
}

TEST(LifecycleTextTest, ARampTellsItsStageAndWhatHoldsIt) {
  v1::LifecycleStatus status;
  status.set_state("running");
  status.set_ramp_share(0.25);
  status.set_ramp_stage(2);
  status.set_ramp_stages(3);
  EXPECT_EQ(RenderLifecycle(status),
            "  ramp: 25 % of the units, stage 2 of 3\n");
  status.mutable_ramp_elapsed()->set_seconds(125);
  status.mutable_ramp_lasts()->set_seconds(3600);
  status.set_held("p99 of candidate");
  EXPECT_EQ(RenderLifecycle(status),
            "  ramp: 25 % of the units, stage 2 of 3, 2m5s of 1h, HELD: p99 of "
            "candidate\n");
}

TEST(LifecycleTextTest, WhatWaitsIsSaidInAnyState) {
  v1::LifecycleStatus status;
  status.set_state("running");
  v1::PendingStatus* pending = status.mutable_pending();
  pending->set_act("promote");
  pending->set_arm("candidate");
  pending->set_who("ann");
  pending->set_why("it won");
  EXPECT_EQ(
      RenderLifecycle(status),
      "  waits for approval: promote candidate, asked for by ann, because "
      "it won\n");
}

}  // namespace
}  // namespace bandit::cli
