// SPDX-License-Identifier: Apache-2.0
#include "bandit/v1/admin.grpc.pb.h"
#include "clients/cli/commands.h"
#include "clients/cli/json.h"
#include "clients/cli/status_text.h"
#include "fmt/format.h"

namespace bandit::cli {

Result Status(const RouterAddress& router, const std::string& experiment,
              bool json, absl::Time now) {
  v1::GetStatusRequest request;
  request.set_experiment(experiment);
  v1::RouterStatus status;
  Result result =
      CallRouter(router, [&](const std::shared_ptr<grpc::Channel>& channel,
                             grpc::ClientContext* context) {
        return v1::Admin::NewStub(channel)->GetStatus(context, request,
                                                      &status);
      });
  if (result.code != ExitCode::kOk) return result;
  if (status.version().empty()) {
    return NoRouter(router);
  }
  result.out = json ? ToJson(status) : RenderStatus(status, now);
  return result;
}

}  // namespace bandit::cli
