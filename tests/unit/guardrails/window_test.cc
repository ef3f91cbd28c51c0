// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/window.h"

#include "gtest/gtest.h"
#include "tests/unit/guardrails/rules.h"

namespace bandit::guardrails {
namespace {

Rule Threshold() {
  Rule rule = ErrorRule();
  rule.test = Test::kThreshold;
  rule.min_samples = 100;
  rule.window = absl::Minutes(1);
  return rule;
}

TEST(WindowTest, FewSamplesAreNoVerdict) {
  Window window({}, {}, kStart);
  EXPECT_FALSE(
      window.Look(Threshold(), Hits(99, 99), {}, kStart + absl::Seconds(1)));
  EXPECT_TRUE(
      window.Look(Threshold(), Hits(99, 100), {}, kStart + absl::Seconds(2)));
}

TEST(WindowTest, TheControlArmNeedsThemToo) {
  Rule rule = BesideControl(0.1);
  rule.min_samples = 100;
  Window window({}, {}, kStart);
  EXPECT_FALSE(
      window.Look(rule, Hits(50, 100), Hits(0, 99), kStart + absl::Seconds(1)));
  EXPECT_TRUE(window.Look(rule, Hits(50, 100), Hits(0, 100),
                          kStart + absl::Seconds(2)));
}

// What went wrong long ago is forgotten, at the latest an eighth of the window
// late.
TEST(WindowTest, ForgetsWhatIsOlder) {
  Window window({}, {}, kStart);
  Sums sums = Hits(100, 200);
  EXPECT_TRUE(window.Look(Threshold(), sums, {}, kStart + absl::Seconds(1)));
  bool found = true;
  for (int second = 2; second <= 70; ++second) {
    sums += Hits(0, 50);
    found = window.Look(Threshold(), sums, {}, kStart + absl::Seconds(second));
    if (second < 58) EXPECT_TRUE(found) << second;
  }
  EXPECT_FALSE(found);
}

}  // namespace
}  // namespace bandit::guardrails
