// SPDX-License-Identifier: Apache-2.0
// The embedded StateStore: one SQLite file, durable at each commit.
//
// WAL with synchronous=FULL: a commit is one write and one fsync, and a hot
// backup (`sqlite3 state.db .backup copy.db`) may read meanwhile. A second
// router is refused by a lock file beside it.
#ifndef BANDIT_ROUTER_STORE_SQLITE_STORE_H_
#define BANDIT_ROUTER_STORE_SQLITE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "router/store/state_store.h"

namespace bandit::store {

// Fails as store::Open says.
absl::StatusOr<std::unique_ptr<StateStore>> OpenSqliteStore(
    const std::string& path);

}  // namespace bandit::store

#endif  // BANDIT_ROUTER_STORE_SQLITE_STORE_H_
