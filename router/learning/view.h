// SPDX-License-Identifier: Apache-2.0
// The learned state in words, as of the last tick.
#ifndef BANDIT_ROUTER_LEARNING_VIEW_H_
#define BANDIT_ROUTER_LEARNING_VIEW_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "router/learning/ledger.h"
#include "router/learning/recent_shares.h"
#include "router/learning/reward.h"
#include "router/learning/snapshot.h"

namespace bandit::learning {

struct ArmView {
  std::string name;
  std::string backend;
  // Without context the probability itself; with context the arm's share of
  // the latest decisions (a thousand or so).
  double probability = 0;
  uint64_t decisions = 0;  // Of this epoch.
  // Of the reward metric, as fed back or measured; mature decisions only.
  double reward_count = 0;
  double reward_mean = 0;
  double reward_variance = 0;
};

struct MetricView {
  std::string name;
  std::array<uint64_t, kOutcomes> outcomes{};  // Of this epoch.
};

struct ExperimentView {
  std::string name;
  uint32_t epoch = 1;
  std::string policy;
  std::string reward_metric;
  uint64_t decisions = 0;
  std::vector<ArmView> arms;
  std::vector<MetricView> metrics;  // Those that are fed back.
  // Decisions, but no rewards for learner.silence_warning.
  bool silent = false;
};

// Immutable once published.
struct View {
  absl::Time learned;  // When the tick ended.
  std::vector<ExperimentView> experiments;
};

// REQUIRES: ledger and snapshot have the same plan.
View MakeView(const Ledger& ledger, const Snapshot& snapshot,
              const RecentShares& shares, absl::Time now);

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_VIEW_H_
