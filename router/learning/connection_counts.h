// SPDX-License-Identifier: Apache-2.0
// Client connections opened, and closed by reason.
#ifndef BANDIT_ROUTER_LEARNING_CONNECTION_COUNTS_H_
#define BANDIT_ROUTER_LEARNING_CONNECTION_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "router/http2/close_reason.h"

namespace bandit::learning {

struct ConnectionCounts {
  uint64_t opened = 0;
  // By http2::CloseReason.
  std::array<uint64_t, http2::kCloseReasons> closed{};

  void Merge(const ConnectionCounts& other) {
    opened += other.opened;
    for (size_t i = 0; i < closed.size(); ++i) closed[i] += other.closed[i];
  }
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_CONNECTION_COUNTS_H_
