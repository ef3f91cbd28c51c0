// SPDX-License-Identifier: Apache-2.0
#include "router/learning/request_join.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"

namespace bandit::learning {
namespace {

// Calls `visit` with the address of every note, in order.
template <typename Visit>
void ForEachNote(const std::string& bytes, Visit visit) {
  const char* const end = bytes.data() + bytes.size();
  for (const char* at = bytes.data(); at != end; at += RequestNote(at).size()) {
    visit(at);
  }
}

}  // namespace

size_t RequestJoin::Hash::operator()(std::string_view id) const {
  return absl::Hash<std::string_view>{}(id);
}
size_t RequestJoin::Hash::operator()(const char* note) const {
  return (*this)(RequestNote(note).id());
}
bool RequestJoin::Equal::operator()(const char* note,
                                    std::string_view id) const {
  return RequestNote(note).id() == id;
}
bool RequestJoin::Equal::operator()(const char* note, const char* other) const {
  return (*this)(note, RequestNote(other).id());
}

void RequestJoin::Configure(const std::optional<experiment::Join>& rule,
                            absl::Time now) {
  if (rule == rule_) return;
  rule_ = rule;
  if (!rule_.has_value()) {
    index_ = {};
    blocks_.clear();
    block_bytes_ = 0;
    return;
  }
  // The index is as large as it ever was; give back what is too much.
  while (block_bytes_ > rule_->memory) DropOldest();
  index_.rehash(0);
  Trim(now);
}

void RequestJoin::Add(RequestNotes notes, absl::Time now) {
  if (!rule_.has_value()) return;
  dropped_ += notes.no_room();
  too_long_ += notes.too_long();
  if (!notes.bytes().empty()) {
    Block& block = blocks_.emplace_back();
    block.bytes = std::move(notes).TakeBytes();
    // It grew by doubling, and will be kept for long.
    block.bytes.shrink_to_fit();
    block_bytes_ += sizeof(Block) + block.bytes.capacity();
    Index(&block);
  }
  Trim(now);
}

void RequestJoin::Index(Block* block) {
  ForEachNote(block->bytes, [&](const char* at) {
    const RequestNote note(at);
    block->newest_ms = std::max(block->newest_ms, note.time_ms());
    const auto [known, fresh] = index_.insert(at);
    // Another worker's later decision may have come before this one.
    if (fresh || RequestNote(*known).time_ms() > note.time_ms()) return;
    index_.erase(known);
    index_.insert(at);
  });
}

std::optional<experiment::Decision> RequestJoin::Find(std::string_view id,
                                                      absl::Time now) const {
  const auto found = index_.find(id);
  if (found == index_.end()) return std::nullopt;
  const RequestNote note(*found);
  if (note.time_ms() < OldestMs(now)) return std::nullopt;
  return note.decision();
}

size_t RequestJoin::bytes() const {
  // A slot of the index is a pointer and a byte of control.
  return block_bytes_ + index_.capacity() * (sizeof(const char*) + 1);
}

int64_t RequestJoin::OldestMs(absl::Time now) const {
  return rule_.has_value() ? absl::ToUnixMillis(now - rule_->window)
                           : INT64_MAX;
}

void RequestJoin::ForgetOldest() {
  const Block& block = blocks_.front();
  ForEachNote(block.bytes, [&](const char* at) {
    const auto known = index_.find(at);
    // A later block may have the id by now.
    if (known != index_.end() && *known == at) index_.erase(known);
  });
  block_bytes_ -= sizeof(Block) + block.bytes.capacity();
  blocks_.pop_front();
}

void RequestJoin::DropOldest() {
  const size_t before = entries();
  ForgetOldest();
  dropped_ += before - entries();
}

void RequestJoin::Trim(absl::Time now) {
  const int64_t oldest_ms = OldestMs(now);
  while (!blocks_.empty() && blocks_.front().newest_ms < oldest_ms) {
    ForgetOldest();
  }
  while (bytes() > rule_->memory && !blocks_.empty()) DropOldest();
}

}  // namespace bandit::learning
