// SPDX-License-Identifier: Apache-2.0
// The books: which decisions were made, which rewards came, and the sums that
// policies learn from.
//
// Decisions and rewards meet here without a table of requests. Decisions are
// counted by time slice; a metric with a default takes a slice into its total
// once the slice's window has passed (n = decisions, the unrewarded at the
// default), a metric without one counts a reward when it comes. Sums of such a
// metric are taken about its default, so that an unrewarded decision adds
// nothing but its count; otherwise about 0 (binary, built-in) or the first
// value, fixed for the epoch. No I/O.
#ifndef BANDIT_ROUTER_LEARNING_LEDGER_H_
#define BANDIT_ROUTER_LEARNING_LEDGER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "policies/statistics.h"
#include "router/experiment/plan.h"
#include "router/learning/ledger_rows.h"
#include "router/learning/measures.h"
#include "router/learning/reward.h"
#include "router/learning/worker_statistics.h"
#include "router/store/state_store.h"
#include "router/store/statistics_row.h"

namespace bandit::learning {

// What is to become of a reward, by the rules alone.
struct Verdict {
  // kAccepted: unless the decision has a reward of this metric already.
  Outcome outcome = Outcome::kUnknown;
  // Indices into the plan, where the reward names something it knows.
  std::optional<size_t> experiment;
  std::optional<size_t> metric;
};

// An observation that entered the reward metric's total by itself.
struct FreshReward {
  size_t arm = 0;
  double reward = 0;
  double propensity = 1;
  absl::InlinedVector<float, 16> features;
};

// How the total of an experiment's reward metric moved. Only contextual
// experiments tell what is fresh, and only this much of it.
inline constexpr size_t kMostFresh = 1024;
struct Progress {
  bool changed = false;
  // `fresh` is all that changed.
  bool only_fresh = true;
  std::vector<FreshReward> fresh;
};

// Decisions and built-in rewards enter at once and wait, dirty, for the next
// commit. Rewards enter through a transaction: what is credited is staged and
// enters at Commit; a Rollback forgets it and keeps everything else.
// Thread-safety: none.   Determinism: the calls fix the state.
class Ledger {
 public:
  explicit Ledger(std::shared_ptr<const experiment::Plan> plan);

  const experiment::Plan& plan() const { return *plan_; }

  // Puts a stored row back. Arms are matched by name; those that the plan does
  // not have are left out, as is a metric that it does not have.
  // Fails with DataLoss if the row does not fit the experiment.
  absl::Status Restore(size_t experiment, const store::StatisticsKey& key,
                       const store::StatisticsRow& row);

  // REQUIRES for these three: nothing is staged.
  void CountDecisions(size_t experiment,
                      absl::Span<const SliceDecisions> slices);
  // One vector an arm, center 0, into the reward metric's total.
  void AddBuiltin(size_t experiment,
                  absl::Span<const std::vector<double>> arms);
  // What was measured of calls and how arms were drawn, each empty or one an
  // arm. They wait, unwritten, for the next CloseMeasures.
  void AddMeasures(size_t experiment, const ExperimentDelta& delta);
  // Makes what has waited since a second ago, or all of it, part of the rows.
  // Writing it down more often would only wear the disk.
  void CloseMeasures(absl::Time now, bool all);
  // Takes the slices whose window has passed at `through` into the totals. All
  // decisions made before `through` should have been counted; one that comes
  // later is counted still.
  void Mature(absl::Time through);

  // By the rules of DESIGN section 8, in this order: decision not found;
  // unknown experiment, epoch or arm; undeclared metric; unusable value; window
  // passed.
  Verdict Judge(const Reward& reward, absl::Time now) const;
  // REQUIRES: Judge gave `verdict` with kAccepted, and the reward is new.
  void Credit(const Reward& reward, const Verdict& verdict);
  // A reward that was not credited.
  void CountOutcome(const Verdict& verdict, Outcome outcome);

  // What a commit has to write: all that is dirty or staged.
  struct Change {
    size_t experiment = 0;
    store::StatisticsKey key;
    std::optional<std::string> value;  // Encoded row; absent: delete it.
  };
  std::vector<Change> Changes() const;
  bool HasChanges() const { return rows_.HasChanges(); }
  // The changes are durable.
  void Commit();
  void Rollback();

  // An experiment's rows, for another ledger.
  struct NamedRow {
    store::StatisticsKey key;
    store::StatisticsRow row;
    bool dirty = false;
    bool removed = false;  // But the store still has it.
  };
  // REQUIRES: nothing is staged.
  std::vector<NamedRow> Export(size_t experiment) const;
  // As Restore.
  absl::Status Import(size_t experiment, const NamedRow& row);

  // Of this epoch; staged changes are not seen by any of these.
  uint64_t Decisions(size_t experiment, size_t arm) const;
  double Center(size_t experiment, size_t metric) const;
  // In the experiment's layout; valid until the ledger changes.
  absl::Span<const double> Total(size_t experiment, size_t metric,
                                 size_t arm) const;
  std::array<uint64_t, kOutcomes> Outcomes(size_t experiment,
                                           size_t metric) const;
  // Brings the rewards that are weighted sums up to date with their parts.
  void UpdateWeighted();
  WeightedMoments Weighted(size_t experiment, size_t arm) const;
  // What reports are made from; zeros where nothing was counted yet. A metric's
  // are a total of MeasureLayout about its Center.
  std::vector<double> Measures(size_t experiment, size_t metric,
                               size_t arm) const;
  std::vector<double> Calls(size_t experiment, size_t arm) const;
  std::vector<double> Assignment(size_t experiment, size_t arm) const;
  std::vector<double> Latency(size_t experiment, size_t arm) const;
  const MeasureLayout& measure_layout(size_t experiment) const {
    return books_[experiment].measures;
  }
  // Time slices that wait for a window.
  size_t OpenSlices(size_t experiment) const {
    return books_[experiment].open_slices.size();
  }

  // How the experiment's reward moved since the last call.
  Progress TakeProgress(size_t experiment);

 private:
  // The plan's numbers in the ledger's units.
  struct MetricRule {
    int64_t window_ms = 0;
    std::optional<double> default_value;
  };
  struct Book {
    int64_t slice_ms = 1;
    policies::StatisticsLayout layout;
    MeasureLayout measures;
    std::vector<MetricRule> metrics;
    std::set<int64_t> open_slices;  // Starts, Unix time in ms.
    std::vector<double> zeros;      // A total that has no row yet.
    Progress progress;
    // One an arm; empty: nothing waits.
    struct Waiting {
      std::vector<double> calls;
      std::vector<double> assignment;
      std::vector<double> latency;
    };
    std::vector<Waiting> waiting;
  };

  LedgerRow NewRow(const LedgerKey& key) const;
  // What of an arm's vector is the policies', before the measures.
  size_t PolicyWidth(const LedgerKey& key) const;
  size_t MeasureWidth(const LedgerKey& key) const;
  std::vector<double> MeasuresIn(const LedgerKey& key, size_t arm) const;
  LedgerRow& Settled(const LedgerKey& key);
  LedgerRow& Staged(const LedgerKey& key);
  int64_t SliceStart(size_t experiment, int64_t time_ms) const;
  bool HasMatured(size_t experiment, size_t metric, int64_t slice) const;
  void MatureSlice(size_t experiment, size_t metric, int64_t slice);
  void MarkChanged(size_t experiment, size_t metric);
  store::StatisticsKey StoreKey(const LedgerKey& key) const;
  // nullopt if the plan does not have the metric.
  std::optional<LedgerKey> RowKey(size_t experiment,
                                  const store::StatisticsKey& key) const;
  store::StatisticsRow StoreRow(const LedgerKey& key,
                                const LedgerRow& row) const;

  std::shared_ptr<const experiment::Plan> plan_;
  absl::flat_hash_map<uint32_t, size_t> by_id_;
  std::vector<Book> books_;
  LedgerRows rows_;
  // Of the staged rewards; appended to the books' progress at Commit.
  std::vector<std::pair<size_t, FreshReward>> staged_fresh_;
  // Experiments whose reward total the staged changes move otherwise.
  std::set<size_t> staged_changed_;
  absl::Time measures_closed_ = absl::InfinitePast();
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_LEDGER_H_
