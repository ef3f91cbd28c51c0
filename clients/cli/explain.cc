// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/explain.h"

#include "absl/strings/ascii.h"
#include "bandit/v1/admin.grpc.pb.h"
#include "clients/cli/json.h"
#include "fmt/format.h"

namespace bandit::cli {

Result Explain(const RouterAddress& router, const ExplainOptions& options,
               bool json) {
  v1::ExplainRequest request;
  request.set_experiment(options.experiment);
  request.set_unit(options.unit);
  for (const std::string& text : options.metadata) {
    v1::MetadataEntry* entry = request.add_metadata();
    const size_t equals = text.find('=');
    // On the wire keys are in lower case, however they are written.
    entry->set_key(absl::AsciiStrToLower(text.substr(0, equals)));
    entry->set_value(text.substr(equals + 1));
  }
  request.set_model(options.model);
  request.set_service(options.service);
  request.set_method(options.method);
  request.set_authority(options.authority);
  v1::Explanation explanation;
  Result result =
      CallRouter(router, [&](const std::shared_ptr<grpc::Channel>& channel,
                             grpc::ClientContext* context) {
        return v1::Admin::NewStub(channel)->Explain(context, request,
                                                    &explanation);
      });
  if (result.code != ExitCode::kOk) return result;
  if (explanation.experiment() != options.experiment ||
      explanation.policy().empty()) {
    return NoRouter(router);
  }
  result.out = json ? ToJson(explanation) : RenderExplanation(explanation);
  return result;
}

}  // namespace bandit::cli
