// SPDX-License-Identifier: Apache-2.0
// Which decision was made for a request's id: for rewards that come without a
// token.
//
// The only thing that the router keeps of a request, and only where the config
// asks for it: bounded by time and by memory, and forgotten at exit. It keeps
// the buffers that workers noted into and an index over them, and forgets
// whole buffers, the oldest first.
#ifndef BANDIT_ROUTER_LEARNING_REQUEST_JOIN_H_
#define BANDIT_ROUTER_LEARNING_REQUEST_JOIN_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "router/experiment/decision.h"
#include "router/experiment/plan.h"
#include "router/learning/request_notes.h"

namespace bandit::learning {

// Two requests with one id: the decision with the later time has it, so that
// after a client's retry the answer that it kept is rewarded. A reward that
// the former was credited with stays.
// Thread-safety: none.   Determinism: the calls fix the state.
// Cost: Add is O(notes taken + notes forgotten), Find O(1).
class RequestJoin {
 public:
  // What one harvest of one worker may bring, as a part of Join::memory.
  static constexpr size_t kHarvestShare = 8;

  // Absent: off; what is kept is forgotten, and what is added is too. What no
  // longer fits is dropped. Counters go on.
  void Configure(const std::optional<experiment::Join>& rule, absl::Time now);
  bool on() const { return rule_.has_value(); }

  // Takes a worker's notes, and forgets what is older than the window and, if
  // memory asks for it, the oldest.
  void Add(RequestNotes notes, absl::Time now);

  // The decision made for the request `id` within the window.
  std::optional<experiment::Decision> Find(std::string_view id,
                                           absl::Time now) const;

  // Ids that are kept.
  size_t entries() const { return index_.size(); }
  // All that is allocated for them: buffers and index.
  size_t bytes() const;
  // Ids within the window that were not kept for want of memory, here or by
  // the workers; ids that were too long.
  uint64_t dropped() const { return dropped_; }
  uint64_t too_long() const { return too_long_; }

 private:
  struct Block {
    std::string bytes;
    int64_t newest_ms = INT64_MIN;
  };
  // Points to a RequestNote; equal and hashed as its id.
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view id) const;
    size_t operator()(const char* note) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const char* note, std::string_view id) const;
    bool operator()(const char* note, const char* other) const;
  };

  int64_t OldestMs(absl::Time now) const;
  void Index(Block* block);
  void ForgetOldest();
  void DropOldest();  // For want of memory.
  void Trim(absl::Time now);

  std::optional<experiment::Join> rule_;
  std::deque<Block> blocks_;  // In the order of their harvest.
  size_t block_bytes_ = 0;
  absl::flat_hash_set<const char*, Hash, Equal> index_;
  uint64_t dropped_ = 0;
  uint64_t too_long_ = 0;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_REQUEST_JOIN_H_
