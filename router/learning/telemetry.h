// SPDX-License-Identifier: Apache-2.0
// What this process has counted since it started, for /metrics and GetStatus.
#ifndef BANDIT_ROUTER_LEARNING_TELEMETRY_H_
#define BANDIT_ROUTER_LEARNING_TELEMETRY_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "router/experiment/plan.h"
#include "router/learning/backend_counts.h"
#include "router/learning/reward.h"
#include "router/learning/worker_statistics.h"
#include "stats/histogram.h"

namespace bandit::learning {

// Of the join of rewards by request id; see RequestJoin.
struct JoinTotals {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  uint64_t dropped = 0;
  uint64_t too_long = 0;
  uint64_t unresolved = 0;  // Rewards whose id was not known.
};

struct Totals {
  // (experiment, arm); both empty: requests that no experiment took; the arm
  // empty: requests that are not counted into the experiment.
  std::map<std::pair<std::string, std::string>, CallCounts> calls;
  stats::LogLinearHistogram overhead;  // ns
  // (experiment, metric), by outcome. The experiment is empty for a forged
  // token and one that this router does not know, the metric also where it is
  // not declared: what a caller makes up is no label.
  std::map<std::pair<std::string, std::string>, std::array<uint64_t, kOutcomes>>
      rewards;
  // (experiment, feature).
  std::map<std::pair<std::string, std::string>, uint64_t> missing_features;
  std::map<std::string, BackendCounts> backends;
  stats::LogLinearHistogram ticks;    // ns a learner tick took.
  stats::LogLinearHistogram commits;  // ns a transaction took.
  uint64_t failed_commits = 0;
  JoinTotals join;
  ConnectionCounts connections;
  // By experiment. `fallbacks` is empty: see below.
  std::map<std::string, TrafficCounts> traffic;
  // (experiment, the arm that failed, the arm that took over).
  std::map<std::array<std::string, 3>, uint64_t> fallbacks;
  LoadCounts load;
};

// Thread-safety: any thread may call; writers and readers hold the lock for
// microseconds.
class Telemetry {
 public:
  // Makes the series of the plan's arms and metrics, at zero.
  void Declare(const experiment::Plan& plan);

  void Count(const WorkerDelta& delta);
  void CountReward(const std::string& experiment, const std::string& metric,
                   Outcome outcome, uint64_t times = 1);
  void CountTick(absl::Duration took);
  void CountCommit(absl::Duration took, bool failed);
  void SetJoin(const JoinTotals& join);

  void Read(absl::FunctionRef<void(const Totals&)> reader) const;

 private:
  void CountTraffic(const experiment::Experiment& experiment,
                    const TrafficCounts& counts)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  Totals totals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_TELEMETRY_H_
