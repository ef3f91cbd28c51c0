// SPDX-License-Identifier: Apache-2.0
// Request ids and the decisions made for them, as a worker notes them down.
//
// Packed into one buffer, which goes to the learner by move and stays as it is
// until it is forgotten: a note is written once and never copied into a node
// of its own.
#ifndef BANDIT_ROUTER_LEARNING_REQUEST_NOTES_H_
#define BANDIT_ROUTER_LEARNING_REQUEST_NOTES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "router/experiment/decision.h"

namespace bandit::learning {

// A longer id is not kept.
inline constexpr size_t kMaxRequestId = 256;

// One note, where it lies in its buffer.
// Ownership: borrows the buffer.
class RequestNote {
 public:
  explicit RequestNote(const char* at);

  std::string_view id() const { return {at_ + kHeader, id_size_}; }
  // The decision's time.
  int64_t time_ms() const { return time_ms_; }
  experiment::Decision decision() const;
  // To the next one.
  size_t size() const { return kHeader + id_size_ + decision_size_; }

 private:
  friend class RequestNotes;
  // time_ms, the id's size, the decision's size.
  static constexpr size_t kHeader = 8 + 2 + 2;

  const char* at_;
  int64_t time_ms_;
  uint16_t id_size_;
  uint16_t decision_size_;
};

// Thread-safety: none.
class RequestNotes {
 public:
  RequestNotes() = default;
  // Takes notes until they have this many bytes.
  explicit RequestNotes(size_t room) : room_(room) {}

  // Keeps nothing of an id that is empty, too long or finds no room, and
  // counts the latter two.
  // Cost: no allocation but for the buffer's growth.
  void Add(std::string_view id, const experiment::Decision& decision);

  // Notes one after the other, from the oldest; see RequestNote.
  const std::string& bytes() const { return bytes_; }
  std::string TakeBytes() && { return std::move(bytes_); }
  uint64_t too_long() const { return too_long_; }
  uint64_t no_room() const { return no_room_; }

 private:
  std::string bytes_;
  size_t room_ = 0;
  uint64_t too_long_ = 0;
  uint64_t no_room_ = 0;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_REQUEST_NOTES_H_
