// SPDX-License-Identifier: Apache-2.0
// A StateStore that fails when told to.
#ifndef BANDIT_TESTS_UNIT_LEARNING_FAULTY_STORE_H_
#define BANDIT_TESTS_UNIT_LEARNING_FAULTY_STORE_H_

#include <atomic>
#include <memory>
#include <utility>

#include "router/store/state_store.h"

namespace bandit::testing {

// Shared with the test, which may change it on any thread.
struct Faults {
  // Calls until one fails, as do all after it until this is set again;
  // negative: none fails.
  std::atomic<int> calls_left = -1;
  std::atomic<int> commits = 0;

  absl::Status Next() {
    int left = calls_left.load();
    while (left > 0) {
      if (calls_left.compare_exchange_weak(left, left - 1)) break;
    }
    return left == 0 ? absl::UnavailableError("the test broke the store")
                     : absl::OkStatus();
  }
};

class FaultyTransaction : public store::Transaction {
 public:
  FaultyTransaction(std::unique_ptr<Transaction> real,
                    std::shared_ptr<Faults> faults)
      : real_(std::move(real)), faults_(std::move(faults)) {}

  absl::StatusOr<std::vector<bool>> InsertRewards(
      const store::Study& study, std::string_view metric,
      absl::Span<const store::RewardId> ids) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->InsertRewards(study, metric, ids);
  }
  absl::StatusOr<size_t> PurgeRewards(const store::Study& study,
                                      std::string_view metric,
                                      int64_t before_ms,
                                      size_t limit) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->PurgeRewards(study, metric, before_ms, limit);
  }
  absl::StatusOr<bool> PurgeEpochsBefore(const store::Study& study,
                                         size_t limit) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->PurgeEpochsBefore(study, limit);
  }
  absl::Status PutStatistics(const store::Study& study,
                             const store::StatisticsKey& key,
                             std::string_view value) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->PutStatistics(study, key, value);
  }
  absl::Status DeleteStatistics(const store::Study& study,
                                const store::StatisticsKey& key) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->DeleteStatistics(study, key);
  }
  absl::Status PutExperiment(std::string_view name,
                             const store::ExperimentRecord& record) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->PutExperiment(name, record);
  }
  absl::Status PutNote(std::string_view experiment, std::string_view part,
                       std::string_view value) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->PutNote(experiment, part, value);
  }
  absl::StatusOr<store::AuditEntry> AppendAudit(
      const store::AuditEntry& entry) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->AppendAudit(entry);
  }
  absl::Status PutTokenKey(std::string_view key) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->PutTokenKey(key);
  }
  absl::Status Commit() override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    ++faults_->commits;
    return real_->Commit();
  }

 private:
  std::unique_ptr<Transaction> real_;
  std::shared_ptr<Faults> faults_;
};

// Ownership: borrows the real store, which so outlives a "restart".
class FaultyStore : public store::StateStore {
 public:
  FaultyStore(StateStore* real, std::shared_ptr<Faults> faults)
      : real_(real), faults_(std::move(faults)) {}

  absl::StatusOr<std::unique_ptr<store::Transaction>> Begin() override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    auto begun = real_->Begin();
    if (!begun.ok()) return begun.status();
    return std::make_unique<FaultyTransaction>(*std::move(begun), faults_);
  }
  absl::StatusOr<std::map<std::string, store::ExperimentRecord>> Experiments()
      override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->Experiments();
  }
  absl::StatusOr<std::vector<std::pair<store::StatisticsKey, std::string>>>
  Statistics(const store::Study& study) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->Statistics(study);
  }
  absl::StatusOr<std::map<std::string, std::string>> Notes(
      std::string_view part) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->Notes(part);
  }
  absl::StatusOr<std::vector<store::AuditEntry>> Audit(int64_t after,
                                                       size_t limit) override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->Audit(after, limit);
  }
  absl::StatusOr<std::optional<std::string>> TokenKey() override {
    if (auto s = faults_->Next(); !s.ok()) return s;
    return real_->TokenKey();
  }

 private:
  StateStore* real_;
  std::shared_ptr<Faults> faults_;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_LEARNING_FAULTY_STORE_H_
