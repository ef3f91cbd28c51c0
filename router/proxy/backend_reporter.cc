// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/backend_reporter.h"

#include <algorithm>

namespace bandit::proxy {
namespace {

using learning::BackendCounts;
using upstream::Backend;

static_assert(BackendCounts::kStates.size() == upstream::Endpoint::kStates);

BackendCounts CountsOf(const Backend& backend) {
  const Backend::Gauges gauges = backend.gauges();
  const Backend::Counts& counts = backend.counts();
  return {.endpoints = gauges.endpoints,
          .connections = gauges.connections,
          .ejections = counts.ejections,
          .checks_passed = counts.checks_passed,
          .checks_failed = counts.checks_failed,
          .circuit_open = counts.circuit_open};
}

}  // namespace

BackendReporter::Entry& BackendReporter::EntryOf(
    const std::shared_ptr<Backend>& backend) {
  for (Entry& entry : entries_) {
    // Not by address: another backend may have got it since.
    if (!entry.backend.owner_before(backend) &&
        !backend.owner_before(entry.backend)) {
      return entry;
    }
  }
  return entries_.emplace_back(
      Entry{.name = backend->name(), .backend = backend});
}

std::vector<std::pair<std::string, BackendCounts>> BackendReporter::Take(
    const std::vector<std::shared_ptr<Backend>>& in_use) {
  std::vector<std::pair<std::string, BackendCounts>> changes;
  const auto tell = [&](Entry& entry, const BackendCounts& now) {
    const BackendCounts change = now.Since(entry.told);
    if (change != BackendCounts{}) changes.emplace_back(entry.name, change);
    entry.told = now;
  };
  for (Entry& entry : entries_) entry.in_use = false;
  for (const std::shared_ptr<Backend>& backend : in_use) {
    Entry& entry = EntryOf(backend);
    entry.in_use = true;
    tell(entry, CountsOf(*backend));
  }
  for (Entry& entry : entries_) {
    if (entry.in_use) continue;
    BackendCounts last = entry.told;
    last.endpoints = {};
    last.connections = 0;
    tell(entry, last);
  }
  std::erase_if(entries_, [](const Entry& entry) { return !entry.in_use; });
  return changes;
}

}  // namespace bandit::proxy
