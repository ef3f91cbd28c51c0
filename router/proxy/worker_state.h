// SPDX-License-Identifier: Apache-2.0
// What the exchanges of one worker share.
#ifndef BANDIT_ROUTER_PROXY_WORKER_STATE_H_
#define BANDIT_ROUTER_PROXY_WORKER_STATE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "router/experiment/token.h"
#include "router/http2/loop.h"
#include "router/learning/snapshot.h"
#include "router/learning/worker_statistics.h"
#include "router/proxy/exchange.h"
#include "router/upstream/backend.h"

namespace bandit::proxy {

// A plan in use: its connections and its statistics. Exchanges count
// themselves in, so that a replaced plan lives until its last call has ended.
struct Generation {
  explicit Generation(std::shared_ptr<const learning::Snapshot> first)
      : snapshot(std::move(first)),
        plan(snapshot->plan.get()),
        statistics(snapshot->plan) {}

  // The newest of this plan.
  std::shared_ptr<const learning::Snapshot> snapshot;
  const experiment::Plan* plan;
  // In the plan's order; some are those of the generation before.
  std::vector<std::shared_ptr<upstream::Backend>> backends;
  learning::WorkerStatistics statistics;
  size_t live = 0;
};

// Thread-safety: none, one per worker.
struct WorkerState {
  WorkerState(const experiment::TokenSigner* token_signer, uint64_t seed,
              std::function<int64_t()> unix_ms_clock)
      : signer(token_signer), random(seed), unix_ms(std::move(unix_ms_clock)) {}

  // An exchange from the pool, or a new one.
  Exchange& Take();
  void Recycle(Exchange& exchange);

  http2::Loop loop;
  http2::TimerWheel& wheel = loop.wheel();
  const experiment::TokenSigner* signer;
  std::mt19937_64 random;
  std::function<int64_t()> unix_ms;

  std::unique_ptr<Generation> generation;
  std::vector<std::unique_ptr<Generation>> retired;
  // The control plane's socket; null in tests that have none.
  std::unique_ptr<upstream::Backend> control;

  std::vector<std::unique_ptr<Exchange>> exchanges;  // All ever made.
  std::vector<Exchange*> free_exchanges;
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_WORKER_STATE_H_
