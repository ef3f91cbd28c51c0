// SPDX-License-Identifier: Apache-2.0
// The guardrails of all experiments: fed with what workers and the ledger
// count, kept in the store.
#ifndef BANDIT_ROUTER_LEARNING_GUARD_HOUSE_H_
#define BANDIT_ROUTER_LEARNING_GUARD_HOUSE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/experiment/plan.h"
#include "router/guardrails/experiment_guard.h"
#include "router/learning/ledger.h"
#include "router/learning/worker_statistics.h"
#include "router/store/state_store.h"

namespace bandit::learning {

void LogTransition(const guardrails::Transition& transition);

// Thread-safety: none.   Ownership: borrows the store.
class GuardHouse {
 public:
  // What was observed since the last Save may be lost to a kill: after one the
  // arms' states are those of their last change, evidence is this old.
  static constexpr absl::Duration kSavePause = absl::Seconds(10);

  explicit GuardHouse(store::StateStore* store) : store_(store) {}

  // What experiments of the plan that are not guarded yet were left in.
  // Fails as the store does, or with DataLoss.
  using Kept = std::map<std::string, guardrails::GuardState>;
  absl::StatusOr<Kept> Load(const experiment::Plan& plan) const;

  // Goes on with another plan. REQUIRES: `kept` is Load's for it; the ledger
  // has the plan.
  void Use(const std::shared_ptr<const experiment::Plan>& plan,
           const Ledger& ledger, const Kept& kept, absl::Time now);

  // A delta of another plan than the one in use is left out.
  void Count(const WorkerDelta& delta);

  // A look at everything. What has changed.
  std::vector<guardrails::Transition> Tick(const Ledger& ledger,
                                           absl::Time now);
  // NotFound: the plan has no such experiment.
  absl::StatusOr<guardrails::Transition> Reinstate(std::string_view experiment,
                                                   const Ledger& ledger,
                                                   std::string why,
                                                   absl::Time now);

  // Why the experiment's ramp must not go on; empty: it may, or the plan has no
  // such experiment.
  std::string WhyHeld(std::string_view experiment) const;

  // Writes down what has changed, if anything is due: a state at once,
  // evidence now and then. `last`: evidence, too.
  // Gives how the last attempt went; one that failed is made again after the
  // pause.
  absl::Status Save(const Ledger& ledger, absl::Time now, bool last);

  // By the plan's experiments.
  const guardrails::ExperimentGuard& guard(size_t experiment) const {
    return guards_[experiment];
  }
  size_t size() const { return guards_.size(); }

 private:
  // Of an experiment, in its order: arms, in them rules.
  using Totals = std::vector<guardrails::ArmTotals>;

  absl::Status Write(const Ledger& ledger);
  void ReadLedger(const Ledger& ledger, size_t experiment);

  store::StateStore* store_;
  std::shared_ptr<const experiment::Plan> plan_;
  std::vector<guardrails::ExperimentGuard> guards_;
  std::vector<Totals> totals_;
  // A state is another than the store's.
  bool changed_ = false;
  bool counted_ = false;
  absl::Time next_save_ = absl::InfinitePast();
  // Set: the last Save failed, and the next one is no sooner.
  absl::Time retry_ = absl::InfinitePast();
  absl::Status saved_;  // How the last Save went.
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_GUARD_HOUSE_H_
