// SPDX-License-Identifier: Apache-2.0
// Arms that may be drawn, and how often at most.
#ifndef BANDIT_ROUTER_EXPERIMENT_CAPS_H_
#define BANDIT_ROUTER_EXPERIMENT_CAPS_H_

#include "absl/types/span.h"
#include "policies/policy.h"

namespace bandit::experiment {

struct Eligible {
  // NOLINTNEXTLINE(google-explicit-constructor): a set alone has no caps.
  Eligible(policies::ArmSet set, absl::Span<const double> largest = {})
      : arms(set), caps(largest) {}

  policies::ArmSet arms;
  // The largest probability of each arm; empty: 1 for all. Borrowed.
  absl::Span<const double> caps;
};

// Cuts each arm's probability down to its cap and gives what that leaves to
// the eligible arms without one (a cap of 1), in proportion to what they have,
// or evenly where they have nothing. Where there is no such arm, nothing is
// cut. The sum stays what it was.
// REQUIRES: p has an entry for each arm, 0 for those that are not eligible.
// Cost: no allocation.
void ApplyCaps(const Eligible& eligible, absl::Span<double> p);

}  // namespace bandit::experiment

#endif  // BANDIT_ROUTER_EXPERIMENT_CAPS_H_
