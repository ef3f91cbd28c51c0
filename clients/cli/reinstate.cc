// SPDX-License-Identifier: Apache-2.0
#include "bandit/v1/admin.grpc.pb.h"
#include "clients/cli/commands.h"
#include "clients/cli/json.h"
#include "fmt/format.h"

namespace bandit::cli {

Result Reinstate(const RouterAddress& router, const std::string& experiment,
                 const std::string& reason, bool json) {
  v1::ReinstateRequest request;
  request.set_experiment(experiment);
  request.set_reason(reason);
  v1::ReinstateResponse response;
  Result result =
      CallRouter(router, [&](const std::shared_ptr<grpc::Channel>& channel,
                             grpc::ClientContext* context) {
        return v1::Admin::NewStub(channel)->Reinstate(context, request,
                                                      &response);
      });
  if (result.code != ExitCode::kOk) return result;
  // A router's answer is empty.
  if (!response.GetReflection()->GetUnknownFields(response).empty()) {
    return NoRouter(router);
  }
  result.out = json
                   ? ToJson(response)
                   : fmt::format("{}: all arms are active again\n", experiment);
  return result;
}

}  // namespace bandit::cli
