// SPDX-License-Identifier: Apache-2.0
// The ledger's rows as the store has them: arms and metrics by name.
#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "router/learning/ledger.h"

namespace bandit::learning {

store::StatisticsKey Ledger::StoreKey(const LedgerKey& key) const {
  const experiment::Experiment& e = plan_->experiments[key.experiment];
  // Metrics have names that cannot begin so.
  const std::string name =
      key.metric == LedgerKey::kDecisions ? ""
      : key.metric == LedgerKey::kCalls   ? "@calls"
      : key.metric == LedgerKey::kLatency
          ? "@latency"
          : e.metrics[static_cast<size_t>(key.metric)].name;
  return {.metric = name, .slice = key.slice};
}

store::StatisticsRow Ledger::StoreRow(const LedgerKey& key,
                                      const LedgerRow& row) const {
  store::StatisticsRow stored{
      .center = row.center,
      .matured_before = row.matured_before,
      .outcomes = {row.outcomes.begin(), row.outcomes.end()},
      .arms = {}};
  const experiment::Experiment& e = plan_->experiments[key.experiment];
  for (size_t a = 0; a < e.arms.size(); ++a) {
    const absl::Span<const double> vector = row.arm(a);
    stored.arms.push_back(
        {.name = e.arms[a].name, .vector = {vector.begin(), vector.end()}});
  }
  return stored;
}

std::optional<LedgerKey> Ledger::RowKey(size_t experiment,
                                        const store::StatisticsKey& key) const {
  LedgerKey at{.experiment = static_cast<uint32_t>(experiment),
               .slice = key.slice};
  if (key.metric.empty()) return at;
  for (const int32_t own : {LedgerKey::kCalls, LedgerKey::kLatency}) {
    at.metric = own;
    if (StoreKey(at).metric == key.metric) return at;
  }
  const auto& metrics = plan_->experiments[experiment].metrics;
  for (size_t m = 0; m < metrics.size(); ++m) {
    if (metrics[m].name != key.metric) continue;
    at.metric = static_cast<int32_t>(m);
    return at;
  }
  return std::nullopt;
}

absl::Status Ledger::Restore(size_t experiment, const store::StatisticsKey& key,
                             const store::StatisticsRow& row) {
  const experiment::Experiment& e = plan_->experiments[experiment];
  const std::optional<LedgerKey> found = RowKey(experiment, key);
  if (!found) return absl::OkStatus();
  const LedgerKey& at = *found;
  LedgerRow restored = NewRow(at);
  const auto misfit = [&](std::string_view what) {
    return absl::DataLossError(fmt::format(
        "experiments.{}: the stored statistics of epoch {}, metric '{}', do "
        "not fit the config: {}",
        e.name, e.epoch, key.metric, what));
  };
  if (restored.center && row.center && *restored.center != *row.center) {
    return misfit(fmt::format("sums are about {}, not {}", *row.center,
                              *restored.center));
  }
  if (row.center) restored.center = row.center;
  restored.matured_before = row.matured_before;
  for (size_t i = 0; i < kOutcomes && i < row.outcomes.size(); ++i) {
    restored.outcomes[i] = row.outcomes[i];
  }
  for (const store::StatisticsRow::Arm& arm : row.arms) {
    for (size_t a = 0; a < e.arms.size(); ++a) {
      if (e.arms[a].name != arm.name) continue;
      // Written before there were measures: those begin now.
      const size_t size = arm.vector.size();
      if (size != restored.width && size != PolicyWidth(at)) {
        return misfit(fmt::format("{} numbers for arm {}, not {}", size,
                                  arm.name, restored.width));
      }
      std::copy(arm.vector.begin(), arm.vector.end(), restored.arm(a).begin());
    }
  }
  if (key.slice != store::kTotal) {
    books_[experiment].open_slices.insert(key.slice);
  } else if (at.metric >= 0) {
    MarkChanged(experiment, static_cast<size_t>(at.metric));
  }
  rows_.Put(at, std::move(restored));
  return absl::OkStatus();
}

std::vector<Ledger::Change> Ledger::Changes() const {
  std::vector<Change> changes;
  rows_.ForEachChange([&](const LedgerKey& key, const LedgerRow* row) {
    Change& change = changes.emplace_back();
    change.experiment = key.experiment;
    change.key = StoreKey(key);
    if (row != nullptr) change.value = store::Encode(StoreRow(key, *row));
  });
  return changes;
}

std::vector<Ledger::NamedRow> Ledger::Export(size_t experiment) const {
  std::vector<NamedRow> rows;
  rows_.ForEach([&](const LedgerKey& key, const LedgerRow& row) {
    if (key.experiment != experiment) return;
    rows.push_back({.key = StoreKey(key),
                    .row = StoreRow(key, row),
                    .dirty = rows_.IsDirty(key)});
  });
  rows_.ForEachChange([&](const LedgerKey& key, const LedgerRow* row) {
    if (key.experiment != experiment || row != nullptr) return;
    rows.push_back({.key = StoreKey(key), .row = {}, .removed = true});
  });
  return rows;
}

absl::Status Ledger::Import(size_t experiment, const NamedRow& row) {
  if (!row.removed) {
    auto status = Restore(experiment, row.key, row.row);
    if (!status.ok()) return status;
  }
  const std::optional<LedgerKey> at = RowKey(experiment, row.key);
  if (!at) return absl::OkStatus();
  if (row.removed) rows_.MarkRemoved(*at);
  if (row.dirty) Settled(*at);
  return absl::OkStatus();
}

}  // namespace bandit::learning
