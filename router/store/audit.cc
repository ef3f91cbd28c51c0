// SPDX-License-Identifier: Apache-2.0
#include "router/store/audit.h"

#include <sodium.h>

#include "fmt/format.h"

namespace bandit::store {
namespace {

// Keeps these hashes apart from all others. 16 to 64 bytes.
constexpr std::string_view kDomain = "bandit-router audit v1";
constexpr size_t kHashBytes = 32;

void PutInteger(uint64_t value, size_t bytes, std::string* out) {
  for (size_t i = 0; i < bytes; ++i) {
    out->push_back(static_cast<char>(value >> (8 * i)));
  }
}

void PutField(std::string_view field, std::string* out) {
  PutInteger(field.size(), 4, out);
  *out += field;
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string AuditHash(std::string_view previous, const AuditEntry& entry) {
  std::string text;
  PutField(previous, &text);
  PutInteger(static_cast<uint64_t>(entry.sequence), 8, &text);
  PutInteger(static_cast<uint64_t>(entry.time_ms), 8, &text);
  PutInteger(entry.proven ? 1 : 0, 1, &text);
  for (const std::string* field :
       {&entry.who, &entry.act, &entry.experiment, &entry.why, &entry.detail}) {
    PutField(*field, &text);
  }
  std::string hash(kHashBytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), kHashBytes,
                     Bytes(text), text.size(), Bytes(kDomain), kDomain.size());
  return hash;
}

absl::Status VerifyAudit(const AuditEntry& before,
                         absl::Span<const AuditEntry> entries) {
  const AuditEntry* last = &before;
  for (const AuditEntry& entry : entries) {
    if (entry.sequence != last->sequence + 1) {
      return absl::DataLossError(
          fmt::format("the audit log has no entry {}: it is followed by {}",
                      last->sequence + 1, entry.sequence));
    }
    if (entry.hash != AuditHash(last->hash, entry)) {
      return absl::DataLossError(fmt::format(
          "entry {} of the audit log is not what was written: its hash does "
          "not follow from it and the one before",
          entry.sequence));
    }
    last = &entry;
  }
  return absl::OkStatus();
}

}  // namespace bandit::store
