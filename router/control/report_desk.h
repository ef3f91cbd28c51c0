// SPDX-License-Identifier: Apache-2.0
// Where reports are made: one thread, so that neither the learner nor the
// threads that answer rewards spend time on statistics.
#ifndef BANDIT_ROUTER_CONTROL_REPORT_DESK_H_
#define BANDIT_ROUTER_CONTROL_REPORT_DESK_H_

#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "bandit/v1/report.pb.h"
#include "router/learning/learner.h"

namespace bandit::control {

// Thread-safety: any thread may call.   Ownership: borrows the learner.
class ReportDesk {
 public:
  using Done = std::function<void(absl::StatusOr<v1::Report>)>;

  ReportDesk(learning::Learner* learner, std::string version);
  // Answers what is queued, then ends the thread.
  ~ReportDesk();

  // Calls `done` later on the desk's thread. The report is as of this moment,
  // or fails with NotFound if no experiment has this name, Unavailable if the
  // learner is not running, ResourceExhausted if too many wait already.
  void Order(std::string experiment, Done done);

 private:
  struct Job {
    std::string experiment;
    Done done;
  };

  void Run();
  absl::StatusOr<v1::Report> Make(const std::string& experiment);

  learning::Learner* const learner_;
  const std::string version_;
  absl::Mutex mutex_;
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_REPORT_DESK_H_
