// SPDX-License-Identifier: Apache-2.0
#include "bandit/v1/admin.grpc.pb.h"
#include "clients/cli/commands.h"
#include "clients/cli/json.h"
#include "clients/cli/lifecycle_text.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

using Method = grpc::Status (v1::Admin::Stub::*)(grpc::ClientContext*,
                                                 const v1::ActRequest&,
                                                 v1::LifecycleStatus*);

struct Verb {
  std::string_view name;
  Method method;
};
constexpr Verb kVerbs[] = {
    {"start", &v1::Admin::Stub::Start},
    {"pause", &v1::Admin::Stub::Pause},
    {"resume", &v1::Admin::Stub::Resume},
    {"promote", &v1::Admin::Stub::Promote},
    {"rollback", &v1::Admin::Stub::RollBack},
    {"conclude", &v1::Admin::Stub::Conclude},
    {"approve", &v1::Admin::Stub::Approve},
};

}  // namespace

Result Act(const RouterAddress& router, const ActOptions& options, bool json) {
  Method method = nullptr;
  for (const Verb& verb : kVerbs) {
    if (verb.name == options.verb) method = verb.method;
  }
  if (method == nullptr) {
    return {ExitCode::kInvalid, "", options.verb + " is no act\n"};
  }
  v1::ActRequest request;
  request.set_experiment(options.experiment);
  request.set_arm(options.arm);
  request.set_who(options.who);
  request.set_why(options.why);
  v1::LifecycleStatus status;
  Result result =
      CallRouter(router, [&](const std::shared_ptr<grpc::Channel>& channel,
                             grpc::ClientContext* context) {
        const auto stub = v1::Admin::NewStub(channel);
        return (*stub.*method)(context, request, &status);
      });
  if (result.code != ExitCode::kOk) return result;
  if (json) {
    result.out = ToJson(status);
    return result;
  }
  const std::string more = RenderLifecycle(status);
  result.out = fmt::format(
      "{}: {}\n{}", options.experiment,
      status.state() == "rolled_back" ? "rolled back" : status.state(),
      status.state() == "running" || status.has_pending() ? more : "");
  return result;
}

}  // namespace bandit::cli
