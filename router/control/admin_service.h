// SPDX-License-Identifier: Apache-2.0
// bandit.v1.Admin: what the router is doing.
#ifndef BANDIT_ROUTER_CONTROL_ADMIN_SERVICE_H_
#define BANDIT_ROUTER_CONTROL_ADMIN_SERVICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bandit/v1/admin.grpc.pb.h"
#include "router/control/report_desk.h"
#include "router/learning/learner.h"

namespace bandit::control {

// Ownership: borrows the learner.
class AdminService final : public v1::Admin::CallbackService {
 public:
  AdminService(learning::Learner* learner, const std::string& version,
               absl::Time started)
      : learner_(learner),
        version_(version),
        started_(started),
        reports_(learner, version) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::RouterStatus* response) override;
  grpc::ServerUnaryReactor* GetReport(grpc::CallbackServerContext* context,
                                      const v1::GetReportRequest* request,
                                      v1::Report* response) override;

  grpc::ServerUnaryReactor* Reinstate(grpc::CallbackServerContext* context,
                                      const v1::ReinstateRequest* request,
                                      v1::ReinstateResponse* response) override;

 private:
  learning::Learner* learner_;
  const std::string version_;
  const absl::Time started_;
  ReportDesk reports_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_ADMIN_SERVICE_H_
