// SPDX-License-Identifier: Apache-2.0
// The time of day, as an argument.
#ifndef BANDIT_ROUTER_LEARNING_CLOCK_H_
#define BANDIT_ROUTER_LEARNING_CLOCK_H_

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace bandit::learning {

// Thread-safety: any thread may call.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

class SystemClock : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_CLOCK_H_
