// SPDX-License-Identifier: Apache-2.0
// What the request path did beyond sending each request once: retries,
// fallbacks, last resorts, copies to a shadow, waits and refusals.
#ifndef BANDIT_ROUTER_LEARNING_TRAFFIC_H_
#define BANDIT_ROUTER_LEARNING_TRAFFIC_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "router/experiment/entry.h"
#include "router/learning/call_counts.h"

namespace bandit::learning {

// Why a request was sent again.
enum class RetryReason {
  kUnsent,        // Its connection went before it was written.
  kNoConnection,  // There was no connection to be had.
  kRefused,       // The backend refused the stream: it did nothing.
  kUnavailable,   // UNAVAILABLE or HTTP 503, before all else.
  kBroken,        // The connection broke before a response came.
  kTimeout,       // Nothing came within per_try_timeout.
};
inline constexpr std::array<std::string_view, 6> kRetryReasons = {
    "unsent", "no_connection", "refused", "unavailable", "broken", "timeout"};

using RetryCounts = std::array<uint64_t, kRetryReasons.size()>;

// Of one experiment.
struct TrafficCounts {
  RetryCounts retries{};
  uint64_t retries_denied = 0;  // By the budget.
  uint64_t last_resort = 0;     // Requests for which no arm was well.
  // (the arm that failed, the arm that took over).
  std::map<std::pair<size_t, size_t>, uint64_t> fallbacks;
  CallCounts mirror;             // `started` counts the copies begun.
  uint64_t mirror_overflow = 0;  // Copies cut short or not begun for want of
                                 // room.
  // Requests that are not counted into the experiment, and by the reason.
  CallCounts uncounted;
  std::array<uint64_t, experiment::kUncountedReasons> uncounted_why{};

  void Merge(const TrafficCounts& other);
};

// Why a request was not taken.
enum class Rejection { kQueueFull, kQueueTimeout, kMemory };
inline constexpr std::array<std::string_view, 3> kRejections = {
    "queue_full", "queue_timeout", "memory"};

// Of one worker.
struct LoadCounts {
  std::array<uint64_t, kRejections.size()> rejected{};
  // Requests that began to wait, and that did so no longer.
  uint64_t queued = 0;
  uint64_t dequeued = 0;
  // Requests for models that no experiment matched.
  uint64_t unmatched = 0;
  // Of requests that no experiment took.
  RetryCounts retries{};

  void Merge(const LoadCounts& other);
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_TRAFFIC_H_
