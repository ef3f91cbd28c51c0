// SPDX-License-Identifier: Apache-2.0
// The ledger's rows in memory, with a transaction's overlay.
//
// A failed commit must change nothing that it was to make durable, and lose
// nothing that needs no acknowledgement. So there are two kinds of change: a
// settled one is in the row at once and only waits, dirty, to be written; a
// staged one is made on a copy that replaces the row at Commit.
#ifndef BANDIT_ROUTER_LEARNING_LEDGER_ROWS_H_
#define BANDIT_ROUTER_LEARNING_LEDGER_ROWS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "router/learning/reward.h"
#include "router/store/state_store.h"

namespace bandit::learning {

struct LedgerKey {
  // Decisions, not a metric.
  static constexpr int32_t kDecisions = -1;
  // What the router measures of calls, and their latency histogram.
  static constexpr int32_t kCalls = -2;
  static constexpr int32_t kLatency = -3;

  uint32_t experiment = 0;      // Index into the plan.
  int32_t metric = kDecisions;  // Index into the experiment's metrics.
  int64_t slice = store::kTotal;

  friend bool operator==(const LedgerKey&, const LedgerKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const LedgerKey& key) {
    return H::combine(std::move(h), key.experiment, key.metric, key.slice);
  }
};

struct LedgerRow {
  std::optional<double> center;
  int64_t matured_before = 0;
  std::array<uint64_t, kOutcomes> outcomes{};
  size_t width = 0;
  std::vector<double> values;  // `width` an arm.

  absl::Span<double> arm(size_t i) {
    return absl::MakeSpan(values).subspan(i * width, width);
  }
  absl::Span<const double> arm(size_t i) const {
    return absl::MakeConstSpan(values).subspan(i * width, width);
  }
};

// References stay valid until the next call that may add or remove a row.
// Thread-safety: none.
class LedgerRows {
 public:
  using Make = absl::FunctionRef<LedgerRow()>;

  // nullptr if there is none. Staged changes are not seen.
  const LedgerRow* Find(const LedgerKey& key) const;

  // REQUIRES for these two: nothing is staged.
  // The row, dirty from now on; made if need be.
  LedgerRow& Settled(const LedgerKey& key, Make make);
  void Remove(const LedgerKey& key);

  // The transaction's copy of the row, made if need be.
  LedgerRow& Staged(const LedgerKey& key, Make make);

  // The store has a row that is to go.
  void MarkRemoved(const LedgerKey& key) { dirty_.insert(key); }

  // Puts a row in place that is what the store has.
  void Put(const LedgerKey& key, LedgerRow row) {
    rows_.insert_or_assign(key, std::move(row));
  }

  bool HasChanges() const { return !dirty_.empty() || !staged_.empty(); }
  bool IsDirty(const LedgerKey& key) const { return dirty_.contains(key); }
  // Each dirty or staged row as a commit has to write it; nullptr: removed.
  void ForEachChange(
      absl::FunctionRef<void(const LedgerKey&, const LedgerRow*)> visit) const;
  void ForEach(
      absl::FunctionRef<void(const LedgerKey&, const LedgerRow&)> visit) const;

  // Gives the keys of the rows that were staged.
  std::vector<LedgerKey> Commit();
  void Rollback() { staged_.clear(); }

 private:
  absl::flat_hash_map<LedgerKey, LedgerRow> rows_;
  absl::flat_hash_map<LedgerKey, LedgerRow> staged_;
  absl::flat_hash_set<LedgerKey> dirty_;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_LEDGER_ROWS_H_
