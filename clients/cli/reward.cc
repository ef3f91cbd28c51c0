// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "bandit/v1/feedback.grpc.pb.h"
#include "clients/cli/commands.h"
#include "clients/cli/json.h"
#include "fmt/format.h"

namespace bandit::cli {
namespace {

std::string_view Meaning(v1::Outcome outcome) {
  switch (outcome) {
    case v1::ACCEPTED:
      return "counted, and durable";
    case v1::DUPLICATE:
      return "a reward for this decision and metric was counted before";
    case v1::LATE:
      return "not counted: the metric's window has passed";
    case v1::UNKNOWN:
      return "not counted: the decision's experiment or epoch is not "
             "configured there, or that router knows no decision for the "
             "request id";
    case v1::REJECTED:
      return "not counted: a damaged token or one under another token_key, a "
             "request id where the config has no `join`, an undeclared metric, "
             "or a value that the metric does not take";
    default:
      return "an outcome that this banditctl does not know";
  }
}

}  // namespace

Result SendReward(const RouterAddress& router, const RewardOptions& options,
                  bool json) {
  v1::RecordRequest request;
  v1::Reward* reward = request.add_rewards();
  reward->set_decision(options.decision);
  reward->set_request_id(options.request_id);
  reward->set_metric(options.metric);
  reward->set_value(options.value);
  v1::RecordResponse response;
  Result result =
      CallRouter(router, [&](const std::shared_ptr<grpc::Channel>& channel,
                             grpc::ClientContext* context) {
        return v1::Feedback::NewStub(channel)->Record(context, request,
                                                      &response);
      });
  if (result.code != ExitCode::kOk) return result;
  if (response.outcomes_size() != 1) {
    return {ExitCode::kNoAnswer, "",
            fmt::format("the router at {} answered one reward with {} "
                        "outcomes; is it of this version?\n",
                        router.address, response.outcomes_size())};
  }
  const v1::Outcome outcome = response.outcomes(0);
  // A router of before does not say why.
  const std::string meaning =
      response.refusals_size() > 0
          ? fmt::format("not counted: {}", response.refusals(0).why())
          : std::string(Meaning(outcome));
  result.out =
      json ? ToJson(response)
           : fmt::format("{}: {}\n", v1::Outcome_Name(outcome), meaning);
  if (outcome != v1::ACCEPTED && outcome != v1::DUPLICATE) {
    result.code = ExitCode::kNotCounted;
  }
  return result;
}

}  // namespace bandit::cli
