// SPDX-License-Identifier: Apache-2.0
#include "router/store/sqlite_database.h"

#include <cstring>

#include "fmt/format.h"

namespace bandit::store {

SqliteStatement& SqliteStatement::Bind(int parameter, int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int parameter, std::string_view text) {
  // A null pointer would bind NULL, which is not the empty text.
  sqlite3_bind_text(statement_.get(), parameter,
                    text.data() == nullptr ? "" : text.data(),
                    static_cast<int>(text.size()), SQLITE_STATIC);
  return *this;
}

SqliteStatement& SqliteStatement::BindBlob(int parameter,
                                           std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), parameter, bytes.data(), bytes.size(),
                      SQLITE_STATIC);
  return *this;
}

absl::Status SqliteStatement::Run() {
  const int code = sqlite3_step(statement_.get());
  absl::Status status;
  // The error's text is gone after the reset.
  if (code != SQLITE_DONE) status = database_->Error(code);
  sqlite3_reset(statement_.get());
  return status;
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  absl::Status status;
  if (code != SQLITE_DONE) status = database_->Error(code);
  sqlite3_reset(statement_.get());
  if (!status.ok()) return status;
  return false;
}

std::string_view SqliteStatement::Bytes(int column) const {
  // SQLite wants the pointer asked for before the size.
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<size_t>(size)};
}

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(
    const std::string& path) {
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path));
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
      nullptr);
  database->handle_.reset(handle);
  if (code != SQLITE_OK) return database->Error(code);
  sqlite3_extended_result_codes(handle, 1);
  // SQLite quietly opens for reading what it may not write.
  if (sqlite3_db_readonly(handle, "main") == 1) {
    return database->Error(SQLITE_READONLY);
  }
  return database;
}

absl::Status SqliteDatabase::CheckInPlace() const {
  int moved = 0;
  sqlite3_file_control(handle_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "state file {}: it was removed or replaced while in use; put it back, or "
      "restart the router to begin with what is there",
      path_));
}

absl::Status SqliteDatabase::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code);
}

absl::StatusOr<SqliteStatement> SqliteDatabase::Prepare(const char* sql) const {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql, -1,
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return Error(code);
  SqliteStatement statement;
  statement.database_ = this;
  statement.statement_.reset(raw);
  return statement;
}

absl::Status SqliteDatabase::Error(int code) const {
  const int system = sqlite3_system_errno(handle_.get());
  std::string detail = sqlite3_errstr(code);
  if (sqlite3_extended_errcode(handle_.get()) == code) {
    detail = sqlite3_errmsg(handle_.get());
  }
  if (system != 0) detail += fmt::format(" ({})", std::strerror(system));
  const auto text = [&](std::string_view mend) {
    return fmt::format("state file {}: {}; {}", path_, detail, mend);
  };
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          text("it is damaged or no SQLite database: restore a copy, or move "
               "it away to start afresh"));
    case SQLITE_CANTOPEN:
      return absl::FailedPreconditionError(
          text("it cannot be opened: check that its directory exists and that "
               "the router may write there"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::FailedPreconditionError(
          text("it cannot be written: make the file and its directory "
               "writable for the router's user"));
    case SQLITE_FULL:
      return absl::UnavailableError(
          text("free space on its file system; the router goes on by itself "
               "then"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(
          text("another program holds a lock on it: end that program"));
    case SQLITE_IOERR:
      return absl::UnavailableError(
          text("check the disk and the limits on file size; the router goes "
               "on by itself once writing works"));
    default:
      return absl::InternalError(text("this is a defect of the router"));
  }
}

}  // namespace bandit::store
