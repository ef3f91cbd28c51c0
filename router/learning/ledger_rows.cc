// SPDX-License-Identifier: Apache-2.0
#include "router/learning/ledger_rows.h"

#include <cassert>

namespace bandit::learning {

const LedgerRow* LedgerRows::Find(const LedgerKey& key) const {
  const auto row = rows_.find(key);
  return row == rows_.end() ? nullptr : &row->second;
}

LedgerRow& LedgerRows::Settled(const LedgerKey& key, Make make) {
  assert(staged_.empty());
  dirty_.insert(key);
  auto row = rows_.find(key);
  if (row == rows_.end()) row = rows_.emplace(key, make()).first;
  return row->second;
}

void LedgerRows::Remove(const LedgerKey& key) {
  assert(staged_.empty());
  if (rows_.erase(key) > 0) dirty_.insert(key);
}

LedgerRow& LedgerRows::Staged(const LedgerKey& key, Make make) {
  if (const auto staged = staged_.find(key); staged != staged_.end()) {
    return staged->second;
  }
  const LedgerRow* row = Find(key);
  return staged_.emplace(key, row != nullptr ? *row : make()).first->second;
}

void LedgerRows::ForEachChange(
    absl::FunctionRef<void(const LedgerKey&, const LedgerRow*)> visit) const {
  for (const auto& [key, row] : staged_) visit(key, &row);
  for (const LedgerKey& key : dirty_) {
    if (!staged_.contains(key)) visit(key, Find(key));
  }
}

void LedgerRows::ForEach(
    absl::FunctionRef<void(const LedgerKey&, const LedgerRow&)> visit) const {
  for (const auto& [key, row] : rows_) visit(key, row);
}

std::vector<LedgerKey> LedgerRows::Commit() {
  std::vector<LedgerKey> staged;
  staged.reserve(staged_.size());
  for (auto& [key, row] : staged_) {
    staged.push_back(key);
    rows_.insert_or_assign(key, std::move(row));
  }
  staged_.clear();
  dirty_.clear();
  return staged;
}

}  // namespace bandit::learning
