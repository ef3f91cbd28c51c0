// SPDX-License-Identifier: Apache-2.0
// Looks at the learner's view now and then and keeps what the dashboard shows
// over time.
#ifndef BANDIT_ROUTER_DASHBOARD_SAMPLER_H_
#define BANDIT_ROUTER_DASHBOARD_SAMPLER_H_

#include <map>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "router/dashboard/events.h"
#include "router/dashboard/history.h"
#include "router/learning/learner.h"
#include "stats/histogram.h"

namespace bandit::dashboard {

// Thread-safety: none.   Ownership: borrows all.
// Cost: a copy of each arm's latency histogram (8 KiB as a rule), kept until
// the next sample.
class Sampler {
 public:
  Sampler(const learning::Learner* learner, History* history, Events* events)
      : learner_(learner), history_(history), events_(events) {}

  // Takes a sample if one is due. To be called more often than that.
  void Look(absl::Time now);

 private:
  using ArmKey = std::pair<std::string, std::string>;  // Experiment, arm.

  History::Entry EntryOf(const learning::ExperimentView& view,
                         const learning::Totals& totals, absl::Time now);

  const learning::Learner* const learner_;
  History* const history_;
  Events* const events_;
  absl::Time due_ = absl::InfinitePast();
  // Latencies as of the last sample.
  std::map<ArmKey, stats::LogLinearHistogram> before_;
  std::map<ArmKey, stats::LogLinearHistogram> next_;
};

}  // namespace bandit::dashboard

#endif  // BANDIT_ROUTER_DASHBOARD_SAMPLER_H_
