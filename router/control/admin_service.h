// SPDX-License-Identifier: Apache-2.0
// bandit.v1.Admin: what the router is doing, and acts on its experiments.
#ifndef BANDIT_ROUTER_CONTROL_ADMIN_SERVICE_H_
#define BANDIT_ROUTER_CONTROL_ADMIN_SERVICE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bandit/v1/admin.grpc.pb.h"
#include "router/control/access.h"
#include "router/control/report_desk.h"
#include "router/learning/learner.h"

namespace bandit::control {

// Acts wait for the learner's thread, not for one of gRPC's.
// Ownership: borrows all but the version.
class AdminService final : public v1::Admin::CallbackService {
 public:
  AdminService(learning::Learner* learner, const Access* access,
               const std::string& version, absl::Time started)
      : learner_(learner),
        access_(access),
        version_(version),
        started_(started),
        reports_(learner, version) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::RouterStatus* response) override;
  grpc::ServerUnaryReactor* GetReport(grpc::CallbackServerContext* context,
                                      const v1::GetReportRequest* request,
                                      v1::Report* response) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::ExplainRequest* request,
                                    v1::Explanation* response) override;

  grpc::ServerUnaryReactor* Reinstate(grpc::CallbackServerContext* context,
                                      const v1::ReinstateRequest* request,
                                      v1::ReinstateResponse* response) override;

  // --- acts (admin_acts.cc)
  grpc::ServerUnaryReactor* Start(grpc::CallbackServerContext* context,
                                  const v1::ActRequest* request,
                                  v1::LifecycleStatus* response) override;
  grpc::ServerUnaryReactor* Pause(grpc::CallbackServerContext* context,
                                  const v1::ActRequest* request,
                                  v1::LifecycleStatus* response) override;
  grpc::ServerUnaryReactor* Resume(grpc::CallbackServerContext* context,
                                   const v1::ActRequest* request,
                                   v1::LifecycleStatus* response) override;
  grpc::ServerUnaryReactor* Promote(grpc::CallbackServerContext* context,
                                    const v1::ActRequest* request,
                                    v1::LifecycleStatus* response) override;
  grpc::ServerUnaryReactor* RollBack(grpc::CallbackServerContext* context,
                                     const v1::ActRequest* request,
                                     v1::LifecycleStatus* response) override;
  grpc::ServerUnaryReactor* Conclude(grpc::CallbackServerContext* context,
                                     const v1::ActRequest* request,
                                     v1::LifecycleStatus* response) override;
  grpc::ServerUnaryReactor* Reset(grpc::CallbackServerContext* context,
                                  const v1::ActRequest* request,
                                  v1::LifecycleStatus* response) override;
  grpc::ServerUnaryReactor* Approve(grpc::CallbackServerContext* context,
                                    const v1::ActRequest* request,
                                    v1::LifecycleStatus* response) override;
  grpc::ServerUnaryReactor* ListAudit(grpc::CallbackServerContext* context,
                                      const v1::ListAuditRequest* request,
                                      v1::AuditLog* response) override;

 private:
  // `act` empty: approves what waits.
  grpc::ServerUnaryReactor* Do(grpc::CallbackServerContext* context,
                               std::optional<experiment::Act> act,
                               const v1::ActRequest* request,
                               v1::LifecycleStatus* response);

  learning::Learner* const learner_;
  const Access* const access_;
  const std::string version_;
  const absl::Time started_;
  ReportDesk reports_;
};

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_ADMIN_SERVICE_H_
