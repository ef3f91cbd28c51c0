// SPDX-License-Identifier: Apache-2.0
// When a call that failed is made again, and whether. Not installed.
#ifndef BANDIT_CLIENT_BACKOFF_H_
#define BANDIT_CLIENT_BACKOFF_H_

#include <grpcpp/support/status.h>

#include "absl/time/time.h"

namespace bandit::client {

// The wait before try `tries` + 1, after `tries` >= 1 that failed: `first`
// doubled each time up to `most`, times a factor in [0.5, 1) from `uniform` in
// [0, 1), so that the clients of a router that comes back do not come at once.
absl::Duration Backoff(int tries, absl::Duration first, absl::Duration most,
                       double uniform);

// Whether another try can help. A router that is away, full or slow: always.
// A failure whose cause cannot be told: a few times. A request that is refused
// for what it is (wrong port, no permission): never.
bool WorthRetrying(grpc::StatusCode code, int tries);

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_BACKOFF_H_
