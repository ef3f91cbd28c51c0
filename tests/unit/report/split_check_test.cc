// SPDX-License-Identifier: Apache-2.0
#include "router/report/split_check.h"

#include "gtest/gtest.h"
#include "tests/unit/report/input_builder.h"

namespace bandit::report {
namespace {

using bandit::testing::InputBuilder;

// Draws arm 1 with probability `p` while it is said to have `said`.
void DrawUnits(InputBuilder& builder, double p, double said, int units,
               int requests) {
  std::uniform_real_distribution<double> uniform;
  for (int u = 0; u < units; ++u) {
    const size_t arm = uniform(builder.random()) < p ? 1 : 0;
    const uint64_t unit = builder.random()();
    for (int i = 0; i < requests; ++i) {
      builder.DecideFor(unit, arm, {1 - said, said});
    }
  }
}

TEST(SplitCheckTest, AnHonestDrawIsSound) {
  InputBuilder builder({"control", "candidate"});
  DrawUnits(builder, 0.1, 0.1, 20'000, 1);
  DrawUnits(builder, 0.6, 0.6, 20'000, 1);
  const v1::SplitCheck check = CheckSplit(builder.input());
  EXPECT_EQ(check.verdict(), v1::SplitCheck::SOUND) << check.DebugString();
}

TEST(SplitCheckTest, ADrawThatIsNotWhatThePropensitiesSayIsFound) {
  InputBuilder builder({"control", "candidate"});
  DrawUnits(builder, 0.47, 0.5, 40'000, 1);
  const v1::SplitCheck check = CheckSplit(builder.input());
  EXPECT_EQ(check.verdict(), v1::SplitCheck::MISMATCH);
  EXPECT_LT(check.p(), 1e-6);
}

// Fifty requests of one user are drawn together: taken one by one they would
// look like a broken draw.
TEST(SplitCheckTest, UnitsThatStickAreNoMismatch) {
  int mismatches_by_request = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    InputBuilder builder({"control", "candidate"}, seed);
    DrawUnits(builder, 0.5, 0.5, 500, 50);
    builder.input().unit = "x-user-id";
    const v1::SplitCheck check = CheckSplit(builder.input());
    EXPECT_EQ(check.verdict(), v1::SplitCheck::SOUND) << check.DebugString();
    builder.input().unit.clear();
    mismatches_by_request +=
        CheckSplit(builder.input()).verdict() == v1::SplitCheck::MISMATCH;
  }
  EXPECT_GT(mismatches_by_request, 5);
}

TEST(SplitCheckTest, AMismatchOfUnitsIsFoundToo) {
  InputBuilder builder({"control", "candidate"});
  builder.input().unit = "x-user-id";
  DrawUnits(builder, 0.4, 0.5, 5000, 5);
  const v1::SplitCheck check = CheckSplit(builder.input());
  EXPECT_EQ(check.verdict(), v1::SplitCheck::MISMATCH);
  EXPECT_GT(std::abs(check.z()), 5);
}

}  // namespace
}  // namespace bandit::report
