// SPDX-License-Identifier: Apache-2.0
// SQLite's C interface as values with owners, and its errors as statuses that
// name the file and the mend.
#ifndef BANDIT_ROUTER_STORE_SQLITE_DATABASE_H_
#define BANDIT_ROUTER_STORE_SQLITE_DATABASE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bandit::store {

class SqliteDatabase;

// A prepared statement. Parameters count from 1, columns from 0.
// Ownership: borrows the database.   Thread-safety: none.
class SqliteStatement {
 public:
  SqliteStatement() = default;

  SqliteStatement& Bind(int parameter, int64_t value);
  // The text must outlive the next Run or the last Step.
  SqliteStatement& Bind(int parameter, std::string_view text);
  SqliteStatement& BindBlob(int parameter, std::string_view bytes);

  // Executes a statement that gives no rows, and makes it ready again.
  absl::Status Run();
  // True: there is a row. False: there is none left; ready again.
  absl::StatusOr<bool> Step();
  // Ends a query before its last row.
  void Reset() { sqlite3_reset(statement_.get()); }

  int64_t Int(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  // Text or blob; valid until the next Step.
  std::string_view Bytes(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalizer {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };

  const SqliteDatabase* database_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

class SqliteDatabase {
 public:
  // Opens or makes the file. Fails as state_store.h says.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(
      const std::string& path);

  const std::string& path() const { return path_; }

  // Fails with FailedPrecondition if the file is no longer at its path: what is
  // written then is gone with the process.
  absl::Status CheckInPlace() const;

  // Executes statements that give no rows.
  absl::Status Execute(const char* sql);
  absl::StatusOr<SqliteStatement> Prepare(const char* sql) const;
  // Rows that the last INSERT, UPDATE or DELETE changed.
  int Changes() const { return sqlite3_changes(handle_.get()); }
  bool InTransaction() const {
    return sqlite3_get_autocommit(handle_.get()) == 0;
  }
  // What the last call's result code means for the one who runs the router.
  absl::Status Error(int code) const;

 private:
  struct Closer {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };

  explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::unique_ptr<sqlite3, Closer> handle_;
};

}  // namespace bandit::store

#endif  // BANDIT_ROUTER_STORE_SQLITE_DATABASE_H_
