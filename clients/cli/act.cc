// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <string_view>

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
    {"reset", &v1::Admin::Stub::Reset},
    {"approve", &v1::Admin::Stub::Approve},
};

// What the proto says that a router answers.
bool IsState(std::string_view state) {
  constexpr std::string_view kStates[] = {"draft", "running", "paused",
                                          "rolled_back", "concluded"};
  return std::find(std::begin(kStates), std::end(kStates), state) !=
         std::end(kStates);
}

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
  if (!IsState(status.state())) return NoRouter(router);
  if (json) {
    result.out = ToJson(status);
    return result;
  }
  const std::string more = RenderLifecycle(status);
  std::string state =
      status.state() == "rolled_back" ? "rolled back" : status.state();
  // A reset leaves the state as it is, so it alone would say nothing.
  if (options.verb == "reset" && !status.has_pending()) {
    state = "a new epoch begins, what was learned no longer counts; " + state;
  }
  result.out = fmt::format(
      "{}: {}\n{}", options.experiment, state,
      status.state() == "running" || status.has_pending() ? more : "");
  return result;
}

}  // namespace bandit::cli
