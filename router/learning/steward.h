// SPDX-License-Identifier: Apache-2.0
// Keeps every experiment's life cycle: does what people and guardrails ask,
// lets ramps go on, and writes down who did what in the audit log.
//
// The state, its note and its audit entry share a transaction, so that nothing
// takes effect which is not written, or is written and takes none.
#ifndef BANDIT_ROUTER_LEARNING_STEWARD_H_
#define BANDIT_ROUTER_LEARNING_STEWARD_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "router/experiment/exposure.h"
#include "router/experiment/plan.h"
#include "router/learning/act.h"
#include "router/learning/life.h"
#include "router/learning/snapshot.h"
#include "router/store/state_store.h"

namespace bandit::learning {

struct LifeView {
  Life life;
  // Of the ramp: its stages, and why it does not go on.
  std::vector<experiment::RampStage> stages;
  std::string held;
};

// Thread-safety: none.   Ownership: borrows the store.
// Cost: all but Tick, Apply and View block for the store; Tick does where a
// ramp has something to be written.
class Steward {
 public:
  // Why an experiment's ramp must not go on; empty: it may.
  using Hold = absl::FunctionRef<std::string(const std::string& experiment)>;

  // Restores what the store holds. Fails as it does, or with DataLoss.
  static absl::StatusOr<std::unique_ptr<Steward>> Open(
      store::StateStore* store);

  // Takes up the plan's experiments: writes down those that are new and how
  // the others were edited. To be followed by Use. Fails as the store does.
  absl::Status Register(const experiment::Plan& plan, absl::Time now);
  // From now on acts are for this plan. REQUIRES: it was registered.
  void Use(std::shared_ptr<const experiment::Plan> plan);

  // What an act comes to, before it is written.
  struct Step {
    std::string experiment;
    Life life;
    store::AuditEntry entry;  // An empty act: none.
    // A new epoch begins with it: only the learner can take it.
    bool new_epoch = false;
  };
  // Does it, or keeps it for another's approval (`pending` then is it).
  // Fails with NotFound for an experiment or arm that is not in the plan,
  // FailedPrecondition where the state does not allow it, PermissionDenied
  // where approval needs to know who asks, else as the store does; nothing has
  // changed then.
  // REQUIRES: no new epoch begins with it.
  absl::StatusOr<Life> Do(const ActRequest& request, absl::Time now);

  // Does what waits; `request.act` does not count. Fails as Do does, also with
  // FailedPrecondition if nothing waits or the ramp is held, and with
  // PermissionDenied if the one who asked is the one who approves.
  // REQUIRES: no new epoch begins with it.
  absl::StatusOr<Life> Approve(const ActRequest& request, absl::Time now);

  // The same in parts. Decide and DecideApproval fail as those do and change
  // nothing; Take writes the step, then it holds. Where it must share a
  // transaction with more, Put writes it there, and Keep is for when that is
  // committed.
  absl::StatusOr<Step> Decide(const ActRequest& request, absl::Time now) const;
  absl::StatusOr<Step> DecideApproval(const ActRequest& request,
                                      absl::Time now) const;
  absl::StatusOr<Life> Take(const Step& step);
  // The step's entry is then as the log has it.
  static absl::Status Put(store::Transaction& transaction, Step* step);
  void Keep(const Step& step);

  // Lets time pass for the ramps. Fails as the store does: they stay where
  // they are and go on at a later tick.
  absl::Status Tick(absl::Time now, Hold hold);

  // `base` with the experiments' exposure; the same object until one of the
  // two changes. REQUIRES: Use was called with its plan.
  std::shared_ptr<const Snapshot> Apply(std::shared_ptr<const Snapshot> base);

  // REQUIRES: the plan has it.
  LifeView View(std::string_view experiment) const;
  // Entries that this process has written to the audit log.
  uint64_t audited() const { return audited_; }

 private:
  struct Ramp {
    std::string held;
    absl::Time written = absl::InfinitePast();
  };

  explicit Steward(store::StateStore* store) : store_(store) {}

  absl::Status RegisterOne(const experiment::Plan& plan,
                           const experiment::Experiment& experiment, bool known,
                           absl::Time now);
  absl::StatusOr<const experiment::Experiment*> Find(
      const std::string& name) const;
  absl::Status TickOne(const experiment::Experiment& experiment,
                       absl::Duration passed, absl::Time now, Hold hold);
  // Writes the step and the config, if one is given; then they hold.
  absl::Status Write(Step step, const std::string* config = nullptr);
  void Expose();

  store::StateStore* store_;
  std::shared_ptr<const experiment::Plan> plan_;
  // By name, of all experiments that the store knows.
  std::map<std::string, Life, std::less<>> lives_;
  std::map<std::string, std::string> configs_;  // Serialized.
  std::map<std::string, Ramp, std::less<>> ramps_;
  std::vector<experiment::Exposure> exposure_;
  std::shared_ptr<const Snapshot> base_, applied_;
  absl::Time ticked_ = absl::InfiniteFuture();
  uint64_t audited_ = 0;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_STEWARD_H_
