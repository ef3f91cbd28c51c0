// SPDX-License-Identifier: Apache-2.0
#include "router/learning/view.h"

#include <algorithm>
#include <cmath>

namespace bandit::learning {
namespace {

// One for each arm. A policy that does not look at the context has the same
// distribution for every request.
std::vector<double> Probabilities(const Snapshot& snapshot, size_t e,
                                  const RecentShares& shares) {
  const experiment::Experiment& experiment = snapshot.plan->experiments[e];
  const size_t arms = experiment.arms.size();
  std::vector<double> p(arms);
  const policies::PolicyInfo* policy =
      policies::FindPolicy(experiment.policy_name);
  if (policy != nullptr && policy->contextual) {
    for (size_t a = 0; a < arms; ++a) {
      p[a] = shares.Share(experiment.name, experiment.arms[a].name,
                          1 / static_cast<double>(arms));
    }
    return p;
  }
  const std::vector<float> x(experiment.features.dimension());
  snapshot.models[e]->Probabilities(x, snapshot.eligible[e], absl::MakeSpan(p));
  experiment::ApplyCaps(snapshot.Eligible(e), absl::MakeSpan(p));
  return p;
}

ExperimentView ViewOf(const Ledger& ledger, const Snapshot& snapshot, size_t e,
                      const RecentShares& shares) {
  const experiment::Plan& plan = ledger.plan();
  const experiment::Experiment& experiment = plan.experiments[e];
  const size_t reward = experiment.reward_metric;
  ExperimentView view{.name = experiment.name,
                      .epoch = experiment.epoch,
                      .policy = experiment.policy_name,
                      .reward_metric = experiment.reward_parts.empty()
                                           ? experiment.metrics[reward].name
                                           : "weighted reward",
                      .decisions = 0,
                      .arms = {},
                      .metrics = {},
                      .silent = false,
                      .alike = experiment.alike,
                      .overlay = experiment.overlay,
                      .layer = experiment.config.layer(),
                      .life = {}};
  const std::vector<double> p = Probabilities(snapshot, e, shares);
  for (size_t a = 0; a < experiment.arms.size(); ++a) {
    const policies::ArmStatistics statistics(experiment.layout(),
                                             ledger.Center(e, reward),
                                             ledger.Total(e, reward, a));
    view.arms.push_back(
        {.name = experiment.arms[a].name,
         .backend = experiment.overlay
                        ? ""
                        : plan.backends[experiment.arms[a].backend].name,
         .probability = p[a],
         .decisions = ledger.Decisions(e, a),
         .reward_count = statistics.count(),
         .reward_mean = statistics.mean(),
         .reward_variance = statistics.variance()});
    view.decisions += view.arms.back().decisions;
  }
  for (size_t m = 0; m < experiment.metrics.size(); ++m) {
    if (experiment.metrics[m].source != experiment::MetricSource::kFeedback) {
      continue;
    }
    view.metrics.push_back({.name = experiment.metrics[m].name,
                            .outcomes = ledger.Outcomes(e, m)});
  }
  return view;
}

}  // namespace

View MakeView(const Ledger& ledger, const Snapshot& snapshot,
              const RecentShares& shares, absl::Time now) {
  View view{.learned = now, .experiments = {}, .audited = 0};
  for (size_t e = 0; e < ledger.plan().experiments.size(); ++e) {
    view.experiments.push_back(ViewOf(ledger, snapshot, e, shares));
  }
  return view;
}

void AddGuard(const guardrails::ExperimentGuard& guard, absl::Time now,
              ExperimentView* view) {
  view->held = guard.hold();
  view->rolled_back = guard.rolled_back_why();
  const std::vector<guardrails::Rule>& rules = guard.setup().rules;
  for (size_t a = 0; a < view->arms.size(); ++a) {
    view->arms[a].guard = guard.arm(a);
    for (size_t r = 0; r < rules.size(); ++r) {
      if (!guard.Applies(a, r)) continue;
      const guardrails::RuleWatch& watch = guard.watch(a, r);
      view->guardrails.push_back(
          {.arm = view->arms[a].name,
           .rule = rules[r].name,
           .action = rules[r].action,
           .broken = watch.broken(now),
           .evidence = std::clamp(
               watch.log_evidence() / -std::log(rules[r].alpha), 0.0, 1.0),
           .trips = watch.trips(),
           .reason = watch.reason()});
    }
  }
}

}  // namespace bandit::learning
