// SPDX-License-Identifier: Apache-2.0
#include "fmt/format.h"
#include "router/store/memory_store.h"
#include "router/store/sqlite_store.h"
#include "router/store/state_store.h"

namespace bandit::store {

absl::StatusOr<std::unique_ptr<StateStore>> Open(std::string_view uri) {
  constexpr std::string_view kSqlite = "sqlite://";
  if (uri == "memory:") return MakeMemoryStore();
  if (!uri.starts_with(kSqlite)) {
    return absl::InvalidArgumentError(fmt::format(
        "state = {} is no known store; expected sqlite:///absolute/path.db or "
        "memory:",
        uri));
  }
  const std::string_view path = uri.substr(kSqlite.size());
  if (!path.starts_with('/') || path.ends_with('/')) {
    return absl::InvalidArgumentError(fmt::format(
        "state = {} names no file; expected sqlite:///absolute/path.db (three "
        "slashes)",
        uri));
  }
  return OpenSqliteStore(std::string(path));
}

}  // namespace bandit::store
