// SPDX-License-Identifier: Apache-2.0
// How the config and the certificates came in, for Prometheus.
#ifndef BANDIT_ROUTER_CONTROL_LIFECYCLE_METRICS_H_
#define BANDIT_ROUTER_CONTROL_LIFECYCLE_METRICS_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "prometheus/collectable.h"
#include "router/learning/clock.h"
#include "router/tls/credentials.h"

namespace bandit::control {

// Thread-safety: any thread.   Ownership: borrows both.
class LifecycleMetrics : public prometheus::Collectable {
 public:
  LifecycleMetrics(const tls::Credentials* credentials,
                   const learning::Clock* clock)
      : credentials_(credentials),
        clock_(clock),
        loaded_ms_(absl::ToUnixMillis(clock->Now())) {}

  // The config was loaded again, or could not be.
  void OnReload(bool loaded);

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const tls::Credentials* const credentials_;
  const learning::Clock* const clock_;
  // Each stands for itself: a scrape may see one before the other.
  std::atomic<uint64_t> loaded_ = 0;
  std::atomic<uint64_t> failed_ = 0;
  std::atomic<int64_t> loaded_ms_;  // Unix time of the config in use.
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_LIFECYCLE_METRICS_H_
