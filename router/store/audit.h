// SPDX-License-Identifier: Apache-2.0
// The audit log: who did what to which experiment, when and why.
//
// Every entry carries a hash of itself and of the one before, so that a change
// of the past shows. Who rewrites the whole file can make a new chain; the
// router's log names the hash of each entry, and such a one differs there.
#ifndef BANDIT_ROUTER_STORE_AUDIT_H_
#define BANDIT_ROUTER_STORE_AUDIT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace bandit::store {

struct AuditEntry {
  // From 1, without a gap. Given by the store, as is `hash`.
  int64_t sequence = 0;
  int64_t time_ms = 0;  // Unix time.
  // The name of the identity, or what the caller called himself.
  std::string who;
  // A token or a certificate has shown that it is `who`.
  bool proven = false;
  std::string act;  // "start"
  std::string experiment;
  std::string why;     // In the caller's words.
  std::string detail;  // In the router's: "draft -> running".
  std::string hash;    // 32 bytes.

  friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

// BLAKE2b-256 over `previous`, the hash of the entry before (empty for the
// first), and all fields but the hash; the bytes are in docs/hashing.md.
// Determinism: the arguments alone.
std::string AuditHash(std::string_view previous, const AuditEntry& entry);

// Whether `entries` are what follows an entry with the sequence and the hash
// of `before` (0 and empty: they are the first).
// Fails with DataLoss, naming the first entry that is not.
absl::Status VerifyAudit(const AuditEntry& before,
                         absl::Span<const AuditEntry> entries);

}  // namespace bandit::store

#endif  // BANDIT_ROUTER_STORE_AUDIT_H_
