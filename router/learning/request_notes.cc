// SPDX-License-Identifier: Apache-2.0
#include "router/learning/request_notes.h"

#include <array>
#include <cassert>
#include <cstring>

#include "router/experiment/decision_codec.h"

namespace bandit::learning {
namespace {

static_assert(experiment::kMaxDecisionSize <= UINT16_MAX);

// Notes stay in the process, so its byte order will do.
template <typename T>
void Append(T value, std::string* bytes) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
const char* Read(const char* from, T* value) {
  std::memcpy(value, from, sizeof *value);
  return from + sizeof *value;
}

}  // namespace

RequestNote::RequestNote(const char* at) : at_(at) {
  Read(Read(Read(at, &time_ms_), &id_size_), &decision_size_);
}

experiment::Decision RequestNote::decision() const {
  experiment::Decision decision;
  const char* const bytes = at_ + kHeader + id_size_;
  [[maybe_unused]] const bool read = experiment::DecodeDecision(
      {reinterpret_cast<const unsigned char*>(bytes), decision_size_},
      &decision);
  assert(read);
  return decision;
}

void RequestNotes::Add(std::string_view id,
                       const experiment::Decision& decision) {
  if (id.empty()) return;
  if (id.size() > kMaxRequestId) {
    ++too_long_;
    return;
  }
  std::array<unsigned char, experiment::kMaxDecisionSize> encoded;
  const size_t size = experiment::EncodeDecision(decision, encoded.data());
  if (bytes_.size() + RequestNote::kHeader + id.size() + size > room_) {
    ++no_room_;
    return;
  }
  Append(decision.time_ms, &bytes_);
  Append(static_cast<uint16_t>(id.size()), &bytes_);
  Append(static_cast<uint16_t>(size), &bytes_);
  bytes_.append(id);
  bytes_.append(reinterpret_cast<const char*>(encoded.data()), size);
}

}  // namespace bandit::learning
