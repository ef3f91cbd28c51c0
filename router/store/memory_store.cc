// SPDX-License-Identifier: Apache-2.0
#include "router/store/memory_store.h"

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

namespace bandit::store {
namespace {

using Metric = std::pair<Study, std::string>;

struct State {
  std::map<Metric, std::set<RewardId>> rewards;
  std::map<Study, std::map<StatisticsKey, std::string>> statistics;
  std::map<std::string, ExperimentRecord> experiments;
  // By part, then by experiment.
  std::map<std::string, std::map<std::string, std::string>> notes;
  std::vector<AuditEntry> audit;
  std::optional<std::string> token_key;
};

// Changes the state at once and keeps how to take it back.
class MemoryTransaction : public Transaction {
 public:
  explicit MemoryTransaction(State* state) : state_(state) {}

  ~MemoryTransaction() override {
    for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) (*undo)();
  }

  absl::StatusOr<std::vector<bool>> InsertRewards(
      const Study& study, std::string_view metric,
      absl::Span<const RewardId> ids) override {
    std::set<RewardId>& set = state_->rewards[{study, std::string(metric)}];
    std::vector<bool> fresh;
    fresh.reserve(ids.size());
    for (const RewardId& id : ids) {
      fresh.push_back(set.insert(id).second);
      if (fresh.back()) undo_.push_back([&set, id] { set.erase(id); });
    }
    return fresh;
  }

  absl::StatusOr<size_t> PurgeRewards(const Study& study,
                                      std::string_view metric,
                                      int64_t before_ms,
                                      size_t limit) override {
    return Purge(state_->rewards[{study, std::string(metric)}], before_ms,
                 limit);
  }

  absl::StatusOr<bool> PurgeEpochsBefore(const Study& study,
                                         size_t limit) override {
    for (auto& [key, set] : state_->rewards) {
      if (key.first.experiment != study.experiment ||
          key.first.epoch >= study.epoch) {
        continue;
      }
      limit -= std::min(limit, Purge(set, INT64_MAX, limit));
      if (!set.empty()) return false;
    }
    for (auto& [old, rows] : state_->statistics) {
      if (old.experiment != study.experiment || old.epoch >= study.epoch) {
        continue;
      }
      std::vector<StatisticsKey> slices;
      for (const auto& [key, value] : rows) {
        if (key.slice != kTotal) slices.push_back(key);
      }
      for (const StatisticsKey& key : slices) Assign(rows, key, std::nullopt);
    }
    return true;
  }

  absl::Status PutStatistics(const Study& study, const StatisticsKey& key,
                             std::string_view value) override {
    Assign(state_->statistics[study], key, std::string(value));
    return absl::OkStatus();
  }

  absl::Status DeleteStatistics(const Study& study,
                                const StatisticsKey& key) override {
    Assign(state_->statistics[study], key, std::nullopt);
    return absl::OkStatus();
  }

  absl::Status PutExperiment(std::string_view name,
                             const ExperimentRecord& record) override {
    Assign(state_->experiments, std::string(name), record);
    return absl::OkStatus();
  }

  absl::Status PutNote(std::string_view experiment, std::string_view part,
                       std::string_view value) override {
    Assign(state_->notes[std::string(part)], std::string(experiment),
           std::string(value));
    return absl::OkStatus();
  }

  absl::StatusOr<AuditEntry> AppendAudit(const AuditEntry& entry) override {
    std::vector<AuditEntry>& log = state_->audit;
    AuditEntry sealed = entry;
    sealed.sequence = static_cast<int64_t>(log.size()) + 1;
    sealed.hash = AuditHash(log.empty() ? "" : log.back().hash, sealed);
    undo_.push_back([&log] { log.pop_back(); });
    log.push_back(sealed);
    return sealed;
  }

  absl::Status PutTokenKey(std::string_view key) override {
    undo_.push_back(
        [state = state_, old = state_->token_key] { state->token_key = old; });
    state_->token_key = key;
    return absl::OkStatus();
  }

  absl::Status Commit() override {
    undo_.clear();
    return absl::OkStatus();
  }

 private:
  // Sets or, without a value, erases.
  template <typename Map>
  void Assign(Map& map, const typename Map::key_type& key,
              std::optional<typename Map::mapped_type> value) {
    std::optional<typename Map::mapped_type> old;
    if (const auto it = map.find(key); it != map.end()) old = it->second;
    undo_.push_back([&map, key, old] { Set(map, key, old); });
    Set(map, key, value);
  }

  template <typename Map>
  static void Set(Map& map, const typename Map::key_type& key,
                  const std::optional<typename Map::mapped_type>& value) {
    if (value) {
      map.insert_or_assign(key, *value);
    } else {
      map.erase(key);
    }
  }

  size_t Purge(std::set<RewardId>& set, int64_t before_ms, size_t limit) {
    size_t purged = 0;
    while (purged < limit && !set.empty() && set.begin()->time_ms < before_ms) {
      undo_.push_back([&set, id = *set.begin()] { set.insert(id); });
      set.erase(set.begin());
      ++purged;
    }
    return purged;
  }

  State* state_;
  std::vector<std::function<void()>> undo_;
};

class MemoryStore : public StateStore {
 public:
  absl::StatusOr<std::unique_ptr<Transaction>> Begin() override {
    return std::make_unique<MemoryTransaction>(&state_);
  }

  absl::StatusOr<std::map<std::string, ExperimentRecord>> Experiments()
      override {
    return state_.experiments;
  }

  absl::StatusOr<std::vector<std::pair<StatisticsKey, std::string>>> Statistics(
      const Study& study) override {
    const auto& rows = state_.statistics[study];
    return std::vector<std::pair<StatisticsKey, std::string>>(rows.begin(),
                                                              rows.end());
  }

  absl::StatusOr<std::map<std::string, std::string>> Notes(
      std::string_view part) override {
    return state_.notes[std::string(part)];
  }

  absl::StatusOr<std::vector<AuditEntry>> Audit(int64_t after,
                                                size_t limit) override {
    // An entry's place is its sequence, less 1.
    const size_t size = state_.audit.size();
    const size_t first =
        std::min(static_cast<size_t>(std::max<int64_t>(after, 0)), size);
    const size_t count = std::min(limit, size - first);
    const auto begin = state_.audit.begin() + static_cast<ptrdiff_t>(first);
    return std::vector<AuditEntry>(begin,
                                   begin + static_cast<ptrdiff_t>(count));
  }

  absl::StatusOr<std::optional<std::string>> TokenKey() override {
    return state_.token_key;
  }

 private:
  State state_;
};

}  // namespace

std::unique_ptr<StateStore> MakeMemoryStore() {
  return std::make_unique<MemoryStore>();
}

}  // namespace bandit::store
