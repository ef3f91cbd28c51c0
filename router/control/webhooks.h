// SPDX-License-Identifier: Apache-2.0
// All webhooks of a config: who is told what.
#ifndef BANDIT_ROUTER_CONTROL_WEBHOOKS_H_
#define BANDIT_ROUTER_CONTROL_WEBHOOKS_H_

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bandit/v1/config.pb.h"
#include "router/control/webhook.h"
#include "router/guardrails/experiment_guard.h"

namespace bandit::control {

// The event as JSON: `id`, `time` (RFC 3339), `event`, `experiment`, and, where
// there is one, `arm`, `rule` and `reason`.
std::string ToJson(const std::string& id,
                   const guardrails::Transition& transition);

std::vector<WebhookTarget> TargetsOf(const v1::RouterConfig& config);

// Thread-safety: any thread.
class Webhooks {
 public:
  struct Totals {
    uint64_t delivered = 0;
    uint64_t given_up = 0;
    uint64_t dropped = 0;
    uint64_t failed_attempts = 0;
    uint64_t waiting = 0;
  };

  // `seed` makes the ids.
  explicit Webhooks(uint64_t seed) : random_(seed) {}

  // From now on these are told. One that was there before keeps what waits.
  // Cost: waits for an attempt under way at one that goes.
  void Use(const std::vector<WebhookTarget>& targets);
  // Never blocks for a webhook.
  void Tell(const guardrails::Transition& transition);
  Totals totals() const;

 private:
  WebhookCounts counts_;
  absl::Mutex mutex_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Webhook>> webhooks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_WEBHOOKS_H_
