// SPDX-License-Identifier: Apache-2.0
// Uses the installed libraries as their documentation says; exits 0 if they
// answer right.
#include <cstdio>

#include "policies/policy.h"
#include "stats/histogram.h"

int main() {
  bandit::stats::LogLinearHistogram latencies;
  latencies.Record(/*value=*/1000, /*times=*/3);
  if (latencies.count() != 3 ||
      !bandit::policies::Contains(bandit::policies::AllArms(2), 1)) {
    std::puts("an installed library answers wrong");
    return 1;
  }
  std::puts("ok");
  return 0;
}
