// SPDX-License-Identifier: Apache-2.0
#include "router/learning/call_counts.h"

#include <algorithm>

namespace bandit::learning {

void CallCounts::Add(const CallRecord& call) {
  ++finished;
  if (call.code >= 0 && call.code < static_cast<int>(grpc_codes.size())) {
    ++grpc_codes[static_cast<size_t>(call.code)];
  } else {
    ++http_codes[call.code];
  }
  latency.Record(static_cast<uint64_t>(std::max<int64_t>(call.latency_ns, 0)));
  if (call.ttfb_ns >= 0) ttfb.Record(static_cast<uint64_t>(call.ttfb_ns));
  response_bytes += call.response_bytes;
}

void CallCounts::Merge(const CallCounts& other) {
  started += other.started;
  finished += other.finished;
  for (size_t i = 0; i < grpc_codes.size(); ++i) {
    grpc_codes[i] += other.grpc_codes[i];
  }
  for (const auto& [code, count] : other.http_codes) http_codes[code] += count;
  latency.Merge(other.latency);
  ttfb.Merge(other.ttfb);
  response_bytes += other.response_bytes;
}

}  // namespace bandit::learning
