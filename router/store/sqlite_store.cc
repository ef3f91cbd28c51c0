// SPDX-License-Identifier: Apache-2.0
#include "router/store/sqlite_store.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "router/store/file_lock.h"
#include "router/store/sqlite_database.h"
#include "router/store/sqlite_schema.h"

namespace bandit::store {
namespace {

// What the store says in SQL; prepared once.
struct Statements {
  SqliteStatement begin, commit, rollback;
  SqliteStatement add_scope, find_scope, old_scopes, drop_scope;
  SqliteStatement insert_reward, purge_bound, purge_below, purge_scope;
  SqliteStatement put_statistics, delete_statistics, delete_old_slices;
  SqliteStatement put_experiment, put_meta, get_meta;
  SqliteStatement all_experiments, all_statistics;
  SqliteStatement put_note, notes, append_audit, last_audit, audit;
};

absl::Status PrepareAll(const SqliteDatabase& database, Statements* s) {
  const std::pair<SqliteStatement*, const char*> all[] = {
      {&s->begin, "BEGIN IMMEDIATE"},
      {&s->commit, "COMMIT"},
      {&s->rollback, "ROLLBACK"},
      {&s->add_scope,
       "INSERT INTO scopes (experiment, epoch, metric) VALUES (?, ?, ?) "
       "ON CONFLICT DO NOTHING"},
      {&s->find_scope,
       "SELECT scope FROM scopes "
       "WHERE experiment = ? AND epoch = ? AND metric = ?"},
      {&s->old_scopes,
       "SELECT scope FROM scopes WHERE experiment = ? AND epoch < ?"},
      {&s->drop_scope, "DELETE FROM scopes WHERE scope = ?"},
      {&s->insert_reward,
       "INSERT INTO rewards VALUES (?, ?, ?) ON CONFLICT DO NOTHING"},
      // The decision time up to which the `limit` oldest ids reach.
      {&s->purge_bound,
       "SELECT time_ms FROM rewards WHERE scope = ? "
       "ORDER BY time_ms LIMIT 1 OFFSET ?"},
      {&s->purge_below, "DELETE FROM rewards WHERE scope = ? AND time_ms < ?"},
      {&s->purge_scope, "DELETE FROM rewards WHERE scope = ?"},
      {&s->put_statistics,
       "INSERT INTO statistics VALUES (?, ?, ?, ?, ?) "
       "ON CONFLICT DO UPDATE SET value = excluded.value"},
      {&s->delete_statistics,
       "DELETE FROM statistics WHERE experiment = ? AND epoch = ? "
       "AND metric = ? AND slice = ?"},
      {&s->delete_old_slices,
       "DELETE FROM statistics WHERE experiment = ? AND epoch < ? "
       "AND slice >= 0"},
      {&s->put_experiment,
       "INSERT INTO experiments VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
       "SET epoch = excluded.epoch, fingerprint = excluded.fingerprint"},
      {&s->put_meta,
       "INSERT INTO meta VALUES (?, ?) "
       "ON CONFLICT DO UPDATE SET value = excluded.value"},
      {&s->get_meta, "SELECT value FROM meta WHERE key = ?"},
      {&s->all_experiments, "SELECT name, epoch, fingerprint FROM experiments"},
      {&s->all_statistics,
       "SELECT metric, slice, value FROM statistics "
       "WHERE experiment = ? AND epoch = ? ORDER BY metric, slice"},
      {&s->put_note,
       "INSERT INTO notes VALUES (?, ?, ?) "
       "ON CONFLICT DO UPDATE SET value = excluded.value"},
      {&s->notes, "SELECT experiment, value FROM notes WHERE part = ?"},
      {&s->append_audit,
       "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
      {&s->last_audit,
       "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1"},
      {&s->audit,
       "SELECT sequence, time_ms, who, proven, act, experiment, why, detail, "
       "hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = database.Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = std::move(*prepared);
  }
  return absl::OkStatus();
}

using Scopes = std::map<std::pair<Study, std::string>, int64_t, std::less<>>;

// Ids are compared for equality only, so a bit pattern will do.
int64_t Bits(uint64_t id) { return static_cast<int64_t>(id); }

class SqliteTransaction : public Transaction {
 public:
  SqliteTransaction(SqliteDatabase* database, Statements* statements,
                    Scopes* scopes)
      : database_(database), s_(statements), scopes_(scopes) {}

  ~SqliteTransaction() override {
    if (committed_) return;
    // Severe errors have rolled back already.
    if (database_->InTransaction()) s_->rollback.Run().IgnoreError();
    for (const auto& key : new_scopes_) scopes_->erase(key);
  }

  absl::StatusOr<std::vector<bool>> InsertRewards(
      const Study& study, std::string_view metric,
      absl::Span<const RewardId> ids) override {
    auto scope = Scope(study, metric);
    if (!scope.ok()) return scope.status();
    // In the order of the key, so that neighbours find their page at hand. Of
    // equal ids the first stays the first.
    std::vector<size_t> order(ids.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::pair(ids[a].time_ms, Bits(ids[a].decision)) <
             std::pair(ids[b].time_ms, Bits(ids[b].decision));
    });
    std::vector<bool> fresh(ids.size());
    s_->insert_reward.Bind(1, *scope);
    for (const size_t i : order) {
      s_->insert_reward.Bind(2, ids[i].time_ms).Bind(3, Bits(ids[i].decision));
      if (auto status = s_->insert_reward.Run(); !status.ok()) return status;
      fresh[i] = database_->Changes() == 1;
    }
    return fresh;
  }

  absl::StatusOr<size_t> PurgeRewards(const Study& study,
                                      std::string_view metric,
                                      int64_t before_ms,
                                      size_t limit) override {
    auto scope = Scope(study, metric);
    if (!scope.ok()) return scope.status();
    return Purge(*scope, before_ms, limit);
  }

  absl::StatusOr<bool> PurgeEpochsBefore(const Study& study,
                                         size_t limit) override {
    std::vector<int64_t> old;
    s_->old_scopes.Bind(1, study.experiment).Bind(2, int64_t{study.epoch});
    while (true) {
      auto row = s_->old_scopes.Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      old.push_back(s_->old_scopes.Int(0));
    }
    for (const int64_t scope : old) {
      auto purged = Purge(scope, INT64_MAX, limit);
      if (!purged.ok()) return purged.status();
      if (*purged >= limit) return false;
      limit -= *purged;
      auto dropped = s_->drop_scope.Bind(1, scope).Run();
      if (!dropped.ok()) return dropped;
    }
    std::erase_if(*scopes_, [&](const auto& entry) {
      const Study& cached = entry.first.first;
      return cached.experiment == study.experiment &&
             cached.epoch < study.epoch;
    });
    auto status = s_->delete_old_slices.Bind(1, study.experiment)
                      .Bind(2, int64_t{study.epoch})
                      .Run();
    if (!status.ok()) return status;
    return true;
  }

  absl::Status PutStatistics(const Study& study, const StatisticsKey& key,
                             std::string_view value) override {
    return s_->put_statistics.Bind(1, study.experiment)
        .Bind(2, int64_t{study.epoch})
        .Bind(3, key.metric)
        .Bind(4, key.slice)
        .BindBlob(5, value)
        .Run();
  }

  absl::Status DeleteStatistics(const Study& study,
                                const StatisticsKey& key) override {
    return s_->delete_statistics.Bind(1, study.experiment)
        .Bind(2, int64_t{study.epoch})
        .Bind(3, key.metric)
        .Bind(4, key.slice)
        .Run();
  }

  absl::Status PutExperiment(std::string_view name,
                             const ExperimentRecord& record) override {
    return s_->put_experiment.Bind(1, name)
        .Bind(2, int64_t{record.epoch})
        .Bind(3, record.fingerprint)
        .Run();
  }

  absl::Status PutNote(std::string_view experiment, std::string_view part,
                       std::string_view value) override {
    return s_->put_note.Bind(1, experiment)
        .Bind(2, part)
        .BindBlob(3, value)
        .Run();
  }

  absl::StatusOr<AuditEntry> AppendAudit(const AuditEntry& entry) override {
    AuditEntry sealed = entry;
    sealed.sequence = 1;
    std::string previous;
    auto last = s_->last_audit.Step();
    if (!last.ok()) return last.status();
    if (*last) {
      sealed.sequence = s_->last_audit.Int(0) + 1;
      previous = s_->last_audit.Bytes(1);
      s_->last_audit.Reset();
    }
    sealed.hash = AuditHash(previous, sealed);
    auto status = s_->append_audit.Bind(1, sealed.sequence)
                      .Bind(2, sealed.time_ms)
                      .Bind(3, sealed.who)
                      .Bind(4, int64_t{sealed.proven})
                      .Bind(5, sealed.act)
                      .Bind(6, sealed.experiment)
                      .Bind(7, sealed.why)
                      .Bind(8, sealed.detail)
                      .BindBlob(9, sealed.hash)
                      .Run();
    if (!status.ok()) return status;
    return sealed;
  }

  absl::Status PutTokenKey(std::string_view key) override {
    return s_->put_meta.Bind(1, "token_key").BindBlob(2, key).Run();
  }

  absl::Status Commit() override {
    auto status = s_->commit.Run();
    committed_ = status.ok();
    return status;
  }

 private:
  absl::StatusOr<int64_t> Scope(const Study& study, std::string_view metric) {
    std::pair<Study, std::string> key{study, metric};
    if (const auto it = scopes_->find(key); it != scopes_->end()) {
      return it->second;
    }
    auto status = s_->add_scope.Bind(1, study.experiment)
                      .Bind(2, int64_t{study.epoch})
                      .Bind(3, metric)
                      .Run();
    if (!status.ok()) return status;
    s_->find_scope.Bind(1, study.experiment)
        .Bind(2, int64_t{study.epoch})
        .Bind(3, metric);
    auto row = s_->find_scope.Step();
    if (!row.ok()) return row.status();
    const int64_t scope = s_->find_scope.Int(0);
    s_->find_scope.Reset();
    new_scopes_.push_back(key);
    scopes_->emplace(std::move(key), scope);
    return scope;
  }

  absl::StatusOr<size_t> Purge(int64_t scope, int64_t before_ms, size_t limit) {
    s_->purge_bound.Bind(1, scope).Bind(2, static_cast<int64_t>(limit));
    auto row = s_->purge_bound.Step();
    if (!row.ok()) return row.status();
    if (*row) {
      // At least the oldest millisecond goes, however many ids it has.
      before_ms = std::min(before_ms, s_->purge_bound.Int(0) + 1);
      s_->purge_bound.Reset();
    }
    auto status = s_->purge_below.Bind(1, scope).Bind(2, before_ms).Run();
    if (!status.ok()) return status;
    return static_cast<size_t>(database_->Changes());
  }

  SqliteDatabase* database_;
  Statements* s_;
  Scopes* scopes_;
  std::vector<std::pair<Study, std::string>> new_scopes_;
  bool committed_ = false;
};

class SqliteStore : public StateStore {
 public:
  SqliteStore(FileLock lock, std::unique_ptr<SqliteDatabase> database)
      : lock_(std::move(lock)), database_(std::move(database)) {}

  absl::Status Prepare() {
    if (auto status = PrepareSchema(*database_); !status.ok()) return status;
    return PrepareAll(*database_, &statements_);
  }

  absl::StatusOr<std::unique_ptr<Transaction>> Begin() override {
    if (auto status = database_->CheckInPlace(); !status.ok()) return status;
    if (auto status = statements_.begin.Run(); !status.ok()) return status;
    return std::make_unique<SqliteTransaction>(database_.get(), &statements_,
                                               &scopes_);
  }

  absl::StatusOr<std::map<std::string, ExperimentRecord>> Experiments()
      override {
    std::map<std::string, ExperimentRecord> records;
    SqliteStatement& query = statements_.all_experiments;
    while (true) {
      auto row = query.Step();
      if (!row.ok()) return row.status();
      if (!*row) return records;
      records[std::string(query.Bytes(0))] = {
          .epoch = static_cast<uint32_t>(query.Int(1)),
          .fingerprint = std::string(query.Bytes(2))};
    }
  }

  absl::StatusOr<std::vector<std::pair<StatisticsKey, std::string>>> Statistics(
      const Study& study) override {
    std::vector<std::pair<StatisticsKey, std::string>> rows;
    SqliteStatement& query = statements_.all_statistics;
    query.Bind(1, study.experiment).Bind(2, int64_t{study.epoch});
    while (true) {
      auto row = query.Step();
      if (!row.ok()) return row.status();
      if (!*row) return rows;
      rows.emplace_back(StatisticsKey{.metric = std::string(query.Bytes(0)),
                                      .slice = query.Int(1)},
                        query.Bytes(2));
    }
  }

  absl::StatusOr<std::map<std::string, std::string>> Notes(
      std::string_view part) override {
    std::map<std::string, std::string> notes;
    SqliteStatement& query = statements_.notes;
    query.Bind(1, part);
    while (true) {
      auto row = query.Step();
      if (!row.ok()) return row.status();
      if (!*row) return notes;
      notes[std::string(query.Bytes(0))] = query.Bytes(1);
    }
  }

  absl::StatusOr<std::vector<AuditEntry>> Audit(int64_t after,
                                                size_t limit) override {
    std::vector<AuditEntry> entries;
    SqliteStatement& query = statements_.audit;
    query.Bind(1, after).Bind(
        2, static_cast<int64_t>(std::min<size_t>(limit, INT64_MAX)));
    while (true) {
      auto row = query.Step();
      if (!row.ok()) return row.status();
      if (!*row) return entries;
      entries.push_back({.sequence = query.Int(0),
                         .time_ms = query.Int(1),
                         .who = std::string(query.Bytes(2)),
                         .proven = query.Int(3) != 0,
                         .act = std::string(query.Bytes(4)),
                         .experiment = std::string(query.Bytes(5)),
                         .why = std::string(query.Bytes(6)),
                         .detail = std::string(query.Bytes(7)),
                         .hash = std::string(query.Bytes(8))});
    }
  }

  absl::StatusOr<std::optional<std::string>> TokenKey() override {
    return Meta("token_key");
  }

 private:
  absl::StatusOr<std::optional<std::string>> Meta(std::string_view key) {
    auto row = statements_.get_meta.Bind(1, key).Step();
    if (!row.ok()) return row.status();
    if (!*row) return std::nullopt;
    std::string value(statements_.get_meta.Bytes(0));
    statements_.get_meta.Reset();
    return value;
  }

  FileLock lock_;
  std::unique_ptr<SqliteDatabase> database_;
  Statements statements_;  // Finalized before the database closes.
  Scopes scopes_;
};

// What is plainly wrong with the place, said better than SQLite does.
absl::Status CheckPlace(const std::string& path) {
  std::error_code error;
  const std::filesystem::path directory =
      std::filesystem::path(path).parent_path();
  if (!std::filesystem::is_directory(directory, error)) {
    return absl::FailedPreconditionError(fmt::format(
        "state file {}: its directory {} does not exist: make it, or let "
        "`state` name another file",
        path, directory.string()));
  }
  if (std::filesystem::is_directory(path, error)) {
    return absl::FailedPreconditionError(fmt::format(
        "state file {}: it is a directory: let `state` name a file", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateStore>> OpenSqliteStore(
    const std::string& path) {
  if (auto status = CheckPlace(path); !status.ok()) return status;
  auto lock = FileLock::Take(path + ".lock");
  if (!lock.ok()) {
    return absl::FailedPreconditionError(fmt::format(
        "state file {}: {}; {}", path, std::string(lock.status().message()),
        absl::IsFailedPrecondition(lock.status())
            ? "one state file serves one router: stop the other, or let "
              "`state` name another file"
            : "make the directory writable for the router's user"));
  }
  auto database = SqliteDatabase::Open(path);
  if (!database.ok()) return database.status();
  auto store =
      std::make_unique<SqliteStore>(*std::move(lock), *std::move(database));
  if (auto status = store->Prepare(); !status.ok()) return status;
  return store;
}

}  // namespace bandit::store
