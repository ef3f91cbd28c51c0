// SPDX-License-Identifier: Apache-2.0
#include "router/store/sqlite_schema.h"

#include <string>

#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace bandit::store {
namespace {

// The page cache is bounded for the sidecar's sake; a hot reward page is
// touched many times in a commit, so a few MiB are enough.
constexpr char kModes[] = R"sql(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 2000;
  PRAGMA journal_size_limit = 33554432;
  PRAGMA cache_size = -6144;
  PRAGMA temp_store = MEMORY;
)sql";

// `rewards` holds one row a reward, without a rowid, so the key is the row.
// Decision time leads, so that inserts fall on few pages and a purge cuts off
// one end.
constexpr char kTables[] = R"sql(
  BEGIN IMMEDIATE;
  CREATE TABLE meta (
    key TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE experiments (
    name TEXT PRIMARY KEY NOT NULL,
    epoch INTEGER NOT NULL,
    fingerprint TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE statistics (
    experiment TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    metric TEXT NOT NULL,
    slice INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (experiment, epoch, metric, slice)
  );
  CREATE TABLE scopes (
    scope INTEGER PRIMARY KEY,
    experiment TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    metric TEXT NOT NULL,
    UNIQUE (experiment, epoch, metric)
  );
  CREATE TABLE rewards (
    scope INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    decision INTEGER NOT NULL,
    PRIMARY KEY (scope, time_ms, decision)
  ) WITHOUT ROWID;
  INSERT INTO meta VALUES ('schema_version', '1');
  COMMIT;
)sql";

// What version 2 adds. The triggers keep the audit log from being changed by
// mistake; its hashes show what was changed on purpose.
constexpr char kVersion2[] = R"sql(
  BEGIN IMMEDIATE;
  CREATE TABLE notes (
    experiment TEXT NOT NULL,
    part TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (experiment, part)
  ) WITHOUT ROWID;
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY NOT NULL,
    time_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    proven INTEGER NOT NULL,
    act TEXT NOT NULL,
    experiment TEXT NOT NULL,
    why TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
  );
  CREATE TRIGGER audit_keeps BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  CREATE TRIGGER audit_stays BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
  UPDATE meta SET value = '2' WHERE key = 'schema_version';
  COMMIT;
)sql";

absl::Status Change(SqliteDatabase& database, const char* sql) {
  absl::Status made = database.Execute(sql);
  if (!made.ok() && database.InTransaction()) {
    database.Execute("ROLLBACK").IgnoreError();
  }
  return made;
}

// 0 for a new file; a foreign database fails.
absl::StatusOr<int> ReadVersion(SqliteDatabase& database) {
  auto tables = database.Prepare(
      "SELECT count(*), sum(name = 'meta') FROM sqlite_master");
  if (!tables.ok()) return tables.status();
  if (auto row = tables->Step(); !row.ok()) return row.status();
  const bool empty = tables->Int(0) == 0;
  const bool ours = tables->Int(1) != 0;
  tables->Reset();
  if (empty) return 0;
  int version = 0;
  if (ours) {
    auto query =
        database.Prepare("SELECT value FROM meta WHERE key = 'schema_version'");
    if (!query.ok()) return query.status();
    auto row = query->Step();
    if (!row.ok()) return row.status();
    const std::string text(*row ? query->Bytes(0) : "");
    query->Reset();
    if (absl::SimpleAtoi(text, &version) && version > 0) return version;
  }
  return absl::FailedPreconditionError(fmt::format(
      "state file {}: it is a database, but not of this router; let `state` "
      "name another file",
      database.path()));
}

}  // namespace

absl::Status PrepareSchema(SqliteDatabase& database) {
  if (auto status = database.Execute(kModes); !status.ok()) return status;
  auto version = ReadVersion(database);
  if (!version.ok()) return version.status();
  if (*version > kSchemaVersion) {
    return absl::FailedPreconditionError(fmt::format(
        "state file {}: its schema is version {}, this router knows up to {}: "
        "run the newer router, or let `state` name another file",
        database.path(), *version, kSchemaVersion));
  }
  if (*version < 1) {
    if (auto status = Change(database, kTables); !status.ok()) return status;
  }
  if (*version < 2) return Change(database, kVersion2);
  return absl::OkStatus();
}

}  // namespace bandit::store
