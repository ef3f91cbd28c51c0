// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/backoff.h"

#include <algorithm>

namespace bandit::client {
namespace {

// gRPC gives INTERNAL or UNKNOWN for some broken connections as well as for
// broken servers: not worth a tight loop, nor an endless one.
constexpr int kBlindTries = 8;
// 2^30 times any first wait is beyond any longest one.
constexpr int kMaxDoublings = 30;

}  // namespace

absl::Duration Backoff(int tries, absl::Duration first, absl::Duration most,
                       double uniform) {
  const int doublings = std::clamp(tries - 1, 0, kMaxDoublings);
  const absl::Duration full = std::min(first * (int64_t{1} << doublings), most);
  return full * (0.5 + 0.5 * uniform);
}

bool WorthRetrying(grpc::StatusCode code, int tries) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED:
      return true;
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNKNOWN:
      return tries < kBlindTries;
    default:
      return false;
  }
}

}  // namespace bandit::client
