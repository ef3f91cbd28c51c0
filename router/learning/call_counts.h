// SPDX-License-Identifier: Apache-2.0
// How proxied calls ended: one, and the sums of many.
#ifndef BANDIT_ROUTER_LEARNING_CALL_COUNTS_H_
#define BANDIT_ROUTER_LEARNING_CALL_COUNTS_H_

#include <array>
#include <cstdint>
#include <map>

#include "stats/histogram.h"

namespace bandit::learning {

// How a proxied call ended.
struct CallRecord {
  // 0..16: gRPC status; 100..599: HTTP status of a response that is not gRPC.
  int code = 0;
  // Of the whole call, request headers received to response end passed on.
  int64_t latency_ns = 0;
  // To the first byte of the response; -1 if there was none.
  int64_t ttfb_ns = -1;
  // The router's own part: from the request headers to their forwarding, and
  // from the end of the response to its forwarding.
  int64_t overhead_ns = 0;
  uint64_t response_bytes = 0;
};

// Counts of one arm (or of the requests that no experiment took).
struct CallCounts {
  uint64_t started = 0;
  uint64_t finished = 0;
  std::array<uint64_t, 17> grpc_codes{};
  std::map<int, uint64_t> http_codes;
  stats::LogLinearHistogram latency;  // ns
  stats::LogLinearHistogram ttfb;     // ns
  uint64_t response_bytes = 0;

  // A call has ended.
  void Add(const CallRecord& call);
  void Merge(const CallCounts& other);
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_CALL_COUNTS_H_
