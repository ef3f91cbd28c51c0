// SPDX-License-Identifier: Apache-2.0
// What happened in this process, the newest of it.
#ifndef BANDIT_ROUTER_DASHBOARD_EVENTS_H_
#define BANDIT_ROUTER_DASHBOARD_EVENTS_H_

#include <deque>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bandit/v1/dashboard.pb.h"
#include "router/guardrails/experiment_guard.h"

namespace bandit::dashboard {

// Thread-safety: any thread may call.   Cost: at most 500 events, each with at
// most 1,000 bytes of detail.
class Events {
 public:
  void OnStart(const std::string& version, absl::Time now);
  void OnTransition(const guardrails::Transition& transition);
  // `summary` of the config that was loaded, or why it was not.
  void OnReload(bool loaded, const std::string& summary, absl::Time now);
  // Why the learning side is degraded, as of now; empty: it is not. Of the same
  // state twice the first counts.
  void OnDegraded(const std::string& why, absl::Time now);

  // The oldest first.
  std::deque<v1::Event> Get() const;

 private:
  void Add(v1::Event event, absl::Time time);

  mutable absl::Mutex mutex_;
  std::deque<v1::Event> events_ ABSL_GUARDED_BY(mutex_);
  bool degraded_ ABSL_GUARDED_BY(mutex_) = false;
};

// `events` and those of the audit log, by their time.
v1::EventLog Together(const std::deque<v1::Event>& events,
                      const v1::AuditLog& audit);

}  // namespace bandit::dashboard

#endif  // BANDIT_ROUTER_DASHBOARD_EVENTS_H_
