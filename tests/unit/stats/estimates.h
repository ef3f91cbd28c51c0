// SPDX-License-Identifier: Apache-2.0
#ifndef BANDIT_TESTS_UNIT_STATS_ESTIMATES_H_
#define BANDIT_TESTS_UNIT_STATS_ESTIMATES_H_

#include <cmath>

#include "gtest/gtest.h"
#include "stats/estimate.h"

namespace bandit::stats {

// The promise of an estimate that is not valid: it decides nothing.
inline void ExpectNoResult(const Estimate& e, Validity why, double value) {
  EXPECT_EQ(Describe(e.validity), Describe(why));
  EXPECT_DOUBLE_EQ(e.value, value);
  EXPECT_TRUE(std::isinf(e.interval.low) && e.interval.low < 0);
  EXPECT_TRUE(std::isinf(e.interval.high) && e.interval.high > 0);
  EXPECT_EQ(e.p, 1);
}

}  // namespace bandit::stats

#endif  // BANDIT_TESTS_UNIT_STATS_ESTIMATES_H_
