// SPDX-License-Identifier: Apache-2.0
// What one worker has counted since the learner last asked.
//
// Written by one thread without locks or atomics; the learner gets the whole
// delta by move and the worker goes on with an empty one.
#ifndef BANDIT_ROUTER_LEARNING_WORKER_STATISTICS_H_
#define BANDIT_ROUTER_LEARNING_WORKER_STATISTICS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "router/experiment/decision.h"
#include "router/experiment/plan.h"
#include "router/learning/backend_counts.h"
#include "router/learning/call_counts.h"
#include "router/learning/connection_counts.h"
#include "router/learning/measures.h"
#include "router/learning/request_notes.h"
#include "router/learning/traffic.h"
#include "stats/histogram.h"

namespace bandit::learning {

// Decisions of one experiment in one time slice.
struct SliceDecisions {
  int64_t slice = 0;  // floor(time / Experiment::slice) since the Unix epoch.
  // Per arm.
  struct ArmDecisions {
    uint64_t count = 0;
    double propensity_sum = 0;
    double inverse_propensity_sum = 0;
    // Where the ledger needs it (contextual, and a metric has a default):
    // lower triangle of sum x x' (row by row), then sum x; else empty.
    std::vector<double> context;
    // Where a metric has a default: a decision part of MeasureLayout.
    std::vector<double> measures;
  };
  std::vector<ArmDecisions> arms;
};

// Rewards that the router measures by itself (built-in reward metric).
struct ExperimentDelta {
  std::vector<CallCounts> arms;
  std::vector<SliceDecisions> slices;
  // One vector an arm in the experiment's layout, center 0, if the reward
  // metric is a built-in one; else empty. An observation is a finished call:
  // `error` is 1 unless it ended OK (or with an HTTP status below 400); a call
  // that ended before a response byte has its whole latency as `ttfb_ms`.
  std::vector<std::vector<double>> builtin_reward;
  // Of the guardrails on what the router measures, in the plan's order: one
  // an arm, arms within a rule; else left at 0. A value is 0 or 1 where a
  // share is counted.
  struct RuleCounts {
    double count = 0;
    double sum = 0;
    double squares = 0;
  };
  std::vector<RuleCounts> guardrails;
  // One an arm, empty where nothing was counted: all that the router measures
  // of finished calls (see CallsSize), and how arms were drawn (see
  // assignment).
  std::vector<std::vector<double>> calls;
  std::vector<std::vector<double>> assignment;
  // By feature, in the encoder's order: values absent or absurd.
  std::vector<uint64_t> missing_features;
  TrafficCounts traffic;
};

struct WorkerDelta {
  // The plan that indices refer to.
  std::shared_ptr<const experiment::Plan> plan;
  std::vector<ExperimentDelta> experiments;
  CallCounts unmatched;
  stats::LogLinearHistogram overhead;  // ns
  LoadCounts load;
  // Where the plan joins rewards by request id; else empty.
  RequestNotes requests;
  // Of the worker, whatever its plan: in the delta of the newest.
  ConnectionCounts connections;
  // By name; of the worker as a whole, not of this plan alone.
  std::vector<std::pair<std::string, BackendCounts>> backends;
};

// Thread-safety: none; owned by one worker.   Cost: no allocation per call but
// for the first in a slice, and for the growth of the requests' buffer.
class WorkerStatistics {
 public:
  explicit WorkerStatistics(std::shared_ptr<const experiment::Plan> plan);

  // `experiment` is an index into the plan's; `p` the distribution that the arm
  // was drawn from, one entry an arm, or empty if it is not known.
  void OnDecision(size_t experiment, const experiment::Decision& decision,
                  absl::Span<const double> p = {});
  // The decision was made for the request with this id, which may be empty.
  // REQUIRES: the plan has a join.
  void OnRequest(std::string_view id, const experiment::Decision& decision) {
    delta_->requests.Add(id, decision);
  }
  void OnMissingFeature(size_t experiment, size_t feature);
  // A call of `experiment` began / ended on `decision`'s arm.
  void OnStart(size_t experiment, size_t arm);
  void OnFinish(size_t experiment, const experiment::Decision& decision,
                const CallRecord& call);
  // The same for a request that is not counted into `experiment`.
  void OnUncountedStart(size_t experiment, experiment::Uncounted why);
  void OnUncountedFinish(size_t experiment, const CallRecord& call);
  // The same for a request that no experiment took.
  void OnUnmatchedStart();
  void OnUnmatchedFinish(const CallRecord& call);

  // A backend's figures have changed.
  void OnBackend(const std::string& name, const BackendCounts& change) {
    delta_->backends.emplace_back(name, change);
  }

  // A call that had begun on the arm `from` goes on at `to`.
  void OnFallback(size_t experiment, size_t from, size_t to);
  // A request goes out again; `experiment` absent: none took it.
  void OnRetry(std::optional<size_t> experiment, RetryReason reason);
  // For the rarer events, counted where they occur.
  TrafficCounts& traffic(size_t experiment) {
    return delta_->experiments[experiment].traffic;
  }
  LoadCounts& load() { return delta_->load; }

  // All since the last call; starts empty again.
  std::unique_ptr<WorkerDelta> Take();

 private:
  // What the hot path needs of an experiment, worked out once.
  struct Shape {
    int64_t slice_ms = 1;
    size_t arms = 0;
    policies::StatisticsLayout layout;
    bool keep_context = false;
    bool has_default = false;
    MeasureLayout measures;
    bool measures_reward = false;
    experiment::MetricSource reward = experiment::MetricSource::kFeedback;
    size_t features = 0;
    // A guardrail's values.
    struct Rule {
      experiment::MetricSource source = experiment::MetricSource::kFeedback;
      std::optional<double> counts_above;
    };
    std::vector<Rule> guardrails;
    // Its calls are another's, too, or nobody's.
    bool overlay = false;
  };

  std::unique_ptr<WorkerDelta> Empty() const;
  // `experiment` empty: none took the call.
  void RecordOverhead(std::optional<size_t> experiment, const CallRecord& call);
  SliceDecisions& Slice(size_t experiment, int64_t time_ms);
  void CountDraw(size_t experiment, const experiment::Decision& decision,
                 absl::Span<const double> p);
  void Measure(size_t experiment, const experiment::Decision& decision,
               const CallRecord& call);

  std::shared_ptr<const experiment::Plan> plan_;
  std::vector<Shape> shapes_;
  std::unique_ptr<WorkerDelta> delta_;
};

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_WORKER_STATISTICS_H_
