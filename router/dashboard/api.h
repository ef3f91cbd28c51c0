// SPDX-License-Identifier: Apache-2.0
// /api/v1: what bandit.v1.Admin says, as JSON, and the acts of operators.
//
// It calls the gRPC service within the process, so that a page sees what
// banditctl sees, and an act has the same rules, identity and audit entry.
#ifndef BANDIT_ROUTER_DASHBOARD_API_H_
#define BANDIT_ROUTER_DASHBOARD_API_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bandit/v1/admin.grpc.pb.h"
#include "bandit/v1/dashboard.pb.h"
#include "router/control/access.h"
#include "router/control/admin_http.h"
#include "router/dashboard/answer_cache.h"
#include "router/dashboard/events.h"
#include "router/dashboard/history.h"

namespace bandit::dashboard {

inline constexpr char kActPath[] = "/api/v1/act";

// Thread-safety: any thread may call.   Ownership: borrows all but the stub.
// Cost: an answer takes at most some seconds, whatever the learner does.
class Api {
 public:
  struct Options {
    std::unique_ptr<v1::Admin::StubInterface> admin;
    const control::Access* access = nullptr;
    const History* history = nullptr;
    const Events* events = nullptr;
    // learning::View::audited: moves when the audit log grows.
    std::function<uint64_t()> audited;
    std::string version;
    // For what is kept for a moment; must not go back.
    std::function<absl::Time()> now;
  };

  explicit Api(Options options);

  // REQUIRES: the path begins with /api/.
  control::HttpAnswer Answer(const control::HttpRequest& request);

 private:
  control::HttpAnswer Status(const control::HttpRequest& request);
  control::HttpAnswer Report(const control::HttpRequest& request);
  control::HttpAnswer GetHistory(const control::HttpRequest& request);
  control::HttpAnswer GetEvents();
  control::HttpAnswer Session(const control::HttpRequest& request) const;
  control::HttpAnswer Act(const control::HttpRequest& request);
  absl::StatusOr<v1::ActAnswer> Do(const v1::ActOrder& order,
                                   const std::string& authorization);

  const Options options_;
  AnswerCache cache_;

  absl::Mutex mutex_;
  // The audit log's newest, as of so many entries by this process.
  v1::AuditLog audit_ ABSL_GUARDED_BY(mutex_);
  bool has_audit_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t audited_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace bandit::dashboard

#endif  // BANDIT_ROUTER_DASHBOARD_API_H_
