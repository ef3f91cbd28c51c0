// SPDX-License-Identifier: Apache-2.0
// Keeps the ledger and the store in step.
#ifndef BANDIT_ROUTER_LEARNING_BOOKKEEPER_H_
#define BANDIT_ROUTER_LEARNING_BOOKKEEPER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "router/learning/epochs.h"
#include "router/learning/ledger.h"
#include "router/store/state_store.h"

namespace bandit::learning {

// Thread-safety: none.   Ownership: borrows the store.
// Cost: Open, Settle and Adopt block for the store.
class Bookkeeper {
 public:
  // Restores what was learned of the plan's experiments and writes their
  // `records` down. A line in the log says what each experiment starts from,
  // the audit log where a new epoch begins.
  // Fails as the store does, or with DataLoss if what it holds does not fit.
  static absl::StatusOr<std::unique_ptr<Bookkeeper>> Open(
      store::StateStore* store,
      const std::shared_ptr<const experiment::Plan>& plan,
      const ExperimentRecords& records, absl::Time now);

  // Counts a worker's decisions and built-in rewards; they are written by the
  // next Settle. A delta of an earlier plan counts where the plan still has
  // its experiment at the same epoch.
  void Count(const WorkerDelta& delta);

  // Takes slices that have matured at `counted_through` into the totals, and
  // makes everything durable, with the rewards (if any), in one transaction;
  // none if there is nothing to write. Gives a verdict for each reward, in
  // order. Time that runs backwards counts as standing still. What is measured
  // for reports is written once a second, or now if `close_measures`.
  // Fails as the store does: no reward of this call is counted then, and
  // decisions wait for the next one.
  absl::StatusOr<std::vector<Verdict>> Settle(absl::Span<const Reward> rewards,
                                              absl::Time now,
                                              absl::Time counted_through,
                                              bool close_measures = false);

  // Goes on with another plan, keeping what was learned of each experiment
  // that is in both at the same epoch. REQUIRES: epochs as `records` say.
  // `beside`, if given, writes what else belongs into the transaction, who
  // began a new epoch for one: an epoch whose fingerprint is that of the one
  // before is not the config's doing.
  // Fails as Open does, or with what `beside` gives, and changes nothing then.
  using Beside = std::function<absl::Status(store::Transaction&)>;
  absl::Status Adopt(const std::shared_ptr<const experiment::Plan>& plan,
                     const ExperimentRecords& records, absl::Time now,
                     const Beside& beside = {});

  Ledger& ledger() { return *ledger_; }
  // How often the store has been asked to write something down, failures
  // included.
  uint64_t transactions() const { return transactions_; }
  // Of all experiments that the store knows.
  const ExperimentRecords& records() const { return records_; }

 private:
  // Where ids of rewards may be forgotten.
  struct Purge {
    store::Study study;
    std::string metric;
    absl::Duration window;
    absl::Time next = absl::InfinitePast();
  };

  explicit Bookkeeper(store::StateStore* store) : store_(store) {}

  absl::Status WriteRecords(const ExperimentRecords& records, absl::Time now,
                            const Beside& beside);
  absl::StatusOr<std::unique_ptr<Ledger>> Load(
      const std::shared_ptr<const experiment::Plan>& plan) const;
  void Use(std::unique_ptr<Ledger> ledger);
  bool PurgeIsDue(absl::Time now) const;
  // True: the last of `old_epochs_` is forgotten.
  absl::StatusOr<bool> Forget(absl::Time now, store::Transaction* transaction);
  absl::Status Enter(absl::Span<const Reward> rewards,
                     absl::Span<Verdict> verdicts,
                     store::Transaction* transaction);
  absl::Status Transact(absl::Span<const Reward> rewards, absl::Time now,
                        absl::Span<Verdict> verdicts);
  store::Study StudyOf(size_t experiment) const;

  store::StateStore* store_;
  ExperimentRecords records_;
  std::unique_ptr<Ledger> ledger_;
  std::vector<Purge> purges_;
  // Experiments whose earlier epochs are not forgotten yet.
  std::vector<store::Study> old_epochs_;
  absl::Time now_ = absl::InfinitePast();
  uint64_t transactions_ = 0;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_BOOKKEEPER_H_
