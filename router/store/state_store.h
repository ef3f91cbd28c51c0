// SPDX-License-Identifier: Apache-2.0
// Where learned state lives: statistics, the ids of the rewards that they
// hold, the experiments' epochs and what else is known of them, the audit log
// and the token key.
//
// The ids and the statistics they changed share a transaction, so that a
// reward which was acknowledged is there exactly once, whatever dies when.
#ifndef BANDIT_ROUTER_STORE_STATE_STORE_H_
#define BANDIT_ROUTER_STORE_STATE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "router/store/audit.h"

namespace bandit::store {

// StatisticsKey::slice of a row that is not of one slice.
inline constexpr int64_t kTotal = -1;

struct StatisticsKey {
  std::string metric;  // Empty: the decisions themselves.
  // Start of the time slice, Unix time in ms; or kTotal.
  int64_t slice = kTotal;

  friend auto operator<=>(const StatisticsKey&, const StatisticsKey&) = default;
};

// An experiment at an epoch: what statistics may be pooled over.
struct Study {
  std::string experiment;
  uint32_t epoch = 0;

  friend auto operator<=>(const Study&, const Study&) = default;
};

// A reward is one decision's value of one metric.
struct RewardId {
  int64_t time_ms = 0;  // The decision's time: neighbours share pages.
  uint64_t decision = 0;

  friend auto operator<=>(const RewardId&, const RewardId&) = default;
};

struct ExperimentRecord {
  uint32_t epoch = 0;
  std::string fingerprint;

  friend bool operator==(const ExperimentRecord&,
                         const ExperimentRecord&) = default;
};

// All or nothing. Destroyed without a successful Commit, it leaves the store
// as it was; so does a Commit that fails. After any failure only destruction
// is left.
class Transaction {
 public:
  virtual ~Transaction() = default;

  // One flag for each of `ids`, in order: true if it was not there and now is.
  virtual absl::StatusOr<std::vector<bool>> InsertRewards(
      const Study& study, std::string_view metric,
      absl::Span<const RewardId> ids) = 0;

  // Forgets the ids of decisions before `before_ms`, at most about `limit`
  // (decisions of one millisecond go together). Gives how many.
  virtual absl::StatusOr<size_t> PurgeRewards(const Study& study,
                                              std::string_view metric,
                                              int64_t before_ms,
                                              size_t limit) = 0;

  // Forgets reward ids (at most about `limit`) and time slices of the
  // experiment's epochs before the study's; totals stay. True: nothing is
  // left to forget.
  virtual absl::StatusOr<bool> PurgeEpochsBefore(const Study& study,
                                                 size_t limit) = 0;

  virtual absl::Status PutStatistics(const Study& study,
                                     const StatisticsKey& key,
                                     std::string_view value) = 0;
  // No error if there is none.
  virtual absl::Status DeleteStatistics(const Study& study,
                                        const StatisticsKey& key) = 0;
  virtual absl::Status PutExperiment(std::string_view name,
                                     const ExperimentRecord& record) = 0;
  // One of the things known of an experiment whatever its epoch, by the name
  // of the `part` of the router that keeps it.
  virtual absl::Status PutNote(std::string_view experiment,
                               std::string_view part,
                               std::string_view value) = 0;
  // Gives the entry as written, with its sequence and hash.
  virtual absl::StatusOr<AuditEntry> AppendAudit(const AuditEntry& entry) = 0;
  virtual absl::Status PutTokenKey(std::string_view key) = 0;

  // Durable once it returns OK: it survives a kill and a power cut.
  virtual absl::Status Commit() = 0;
};

// Errors name the store's address and the mend: Unavailable if the same call
// may work later (disk full, I/O error), DataLoss if the state is damaged,
// FailedPrecondition if a person has to act.
// Thread-safety: one thread at a time, one transaction at a time; no read
// while a transaction is open.
class StateStore {
 public:
  virtual ~StateStore() = default;

  virtual absl::StatusOr<std::unique_ptr<Transaction>> Begin() = 0;

  virtual absl::StatusOr<std::map<std::string, ExperimentRecord>>
  Experiments() = 0;
  virtual absl::StatusOr<std::vector<std::pair<StatisticsKey, std::string>>>
  Statistics(const Study& study) = 0;
  // By experiment.
  virtual absl::StatusOr<std::map<std::string, std::string>> Notes(
      std::string_view part) = 0;
  // The first `limit` entries whose sequence is above `after`, in order.
  virtual absl::StatusOr<std::vector<AuditEntry>> Audit(int64_t after,
                                                        size_t limit) = 0;
  virtual absl::StatusOr<std::optional<std::string>> TokenKey() = 0;
};

// Opens what `uri` names: `sqlite:///absolute/path` (the file is made if its
// directory is there) or `memory:` (forgotten at exit).
// Fails with InvalidArgument for another scheme or a path that is not
// absolute, FailedPrecondition if another process has it or a newer version
// wrote it, else as StateStore says.
absl::StatusOr<std::unique_ptr<StateStore>> Open(std::string_view uri);

}  // namespace bandit::store

#endif  // BANDIT_ROUTER_STORE_STATE_STORE_H_
