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
#include "router/observe/tap.h"
#include "router/proxy/admission.h"
#include "router/proxy/attempt.h"
#include "router/proxy/exchange.h"
#include "router/proxy/mirror.h"
#include "router/proxy/pool.h"
#include "router/proxy/retry.h"
#include "router/upstream/backend.h"

namespace bandit::proxy {

// A plan in use: its connections and its statistics. Exchanges count
// themselves in, so that a replaced plan lives until its last call has ended.
struct Generation {
  explicit Generation(std::shared_ptr<const learning::Snapshot> first)
      : snapshot(std::move(first)),
        plan(snapshot->plan.get()),
        statistics(snapshot->plan),
        retry_budgets(plan->experiments.size()) {}

  // The newest of this plan.
  std::shared_ptr<const learning::Snapshot> snapshot;
  const experiment::Plan* plan;
  // In the plan's order; some are those of the generation before.
  std::vector<std::shared_ptr<upstream::Backend>> backends;
  learning::WorkerStatistics statistics;
  // By experiment.
  std::vector<RetryBudget> retry_budgets;
  size_t live = 0;
};

// Thread-safety: none, one per worker.
struct WorkerState {
  WorkerState(const experiment::TokenSigner* token_signer, uint64_t seed,
              std::function<int64_t()> unix_ms_clock,
              Admission::Shared& admission_shared)
      : signer(token_signer),
        random(seed),
        unix_ms(std::move(unix_ms_clock)),
        admission(loop, admission_shared) {}

  // Whether new requests must be refused.
  bool MemoryFull() {
    return loop.pool().held_bytes() + held_messages > max_held_bytes;
  }

  http2::Loop loop;
  const experiment::TokenSigner* signer;
  std::mt19937_64 random;
  std::function<int64_t()> unix_ms;
  Admission admission;
  // Compressed messages that wait to be whole, which lie in no blocks.
  size_t held_messages = 0;
  // This worker's part of limits.max_buffered.
  size_t max_held_bytes = SIZE_MAX;

  std::unique_ptr<Generation> generation;
  std::vector<std::unique_ptr<Generation>> retired;
  // Where finished calls are handed in to be written down; null: nowhere.
  observe::Tap* tap = nullptr;
  // The control plane's socket; null in tests that have none.
  std::unique_ptr<upstream::Backend> control;

  Pool<Exchange> exchanges{*this};
  Pool<Attempt> attempts{*this};
  Pool<Mirror> mirrors{*this};
};

}  // namespace bandit::proxy

#endif  // BANDIT_ROUTER_PROXY_WORKER_STATE_H_
