// SPDX-License-Identifier: Apache-2.0
// The learned state in words, as of the last tick.
#ifndef BANDIT_ROUTER_LEARNING_VIEW_H_
#define BANDIT_ROUTER_LEARNING_VIEW_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "router/guardrails/experiment_guard.h"
#include "router/learning/ledger.h"
#include "router/learning/recent_shares.h"
#include "router/learning/reward.h"
#include "router/learning/snapshot.h"
#include "router/learning/steward.h"

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
  guardrails::ArmRecord guard;
};

// One rule's finding on one arm.
struct GuardrailView {
  std::string arm;
  std::string rule;
  guardrails::Action action = guardrails::Action::kAlert;
  bool broken = false;
  // Evidence against the arm, as the share of ln(1 / alpha) that it has reached
  // of it: 1 breaks the rule. In [0, 1]; 0 for a threshold.
  double evidence = 0;
  uint64_t trips = 0;  // How often it was found broken.
  std::string reason;  // The figures of the last time.
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
  bool held = false;
  std::string rolled_back;  // Why; empty if not.
  std::vector<GuardrailView> guardrails;
  // All arms are alike: an A/A experiment.
  bool alike = false;
  // It lies over others, which choose the backend.
  bool overlay = false;
  v1::LayerShareConfig layer;  // Without a name: it has none.
  LifeView life;
};

// Immutable once published.
struct View {
  absl::Time learned;  // When the tick ended.
  std::vector<ExperimentView> experiments;
  uint64_t audited = 0;  // Entries of the audit log, by this process.
};

// REQUIRES: ledger and snapshot have the same plan.
View MakeView(const Ledger& ledger, const Snapshot& snapshot,
              const RecentShares& shares, absl::Time now);

// Puts in what guardrails did to the experiment.
void AddGuard(const guardrails::ExperimentGuard& guard, absl::Time now,
              ExperimentView* view);

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_VIEW_H_
