// SPDX-License-Identifier: Apache-2.0
// The tables of the state file, and their versions.
#ifndef BANDIT_ROUTER_STORE_SQLITE_SCHEMA_H_
#define BANDIT_ROUTER_STORE_SQLITE_SCHEMA_H_

#include "absl/status/status.h"
#include "router/store/sqlite_database.h"

namespace bandit::store {

// Written to `meta` under "schema_version", as decimal text.
inline constexpr int kSchemaVersion = 2;

// Sets the connection's modes, makes the tables in a new file, and adds to an
// older one what it lacks.
// Fails with FailedPrecondition if a newer version of the router wrote it.
absl::Status PrepareSchema(SqliteDatabase& database);

}  // namespace bandit::store

#endif  // BANDIT_ROUTER_STORE_SQLITE_SCHEMA_H_
