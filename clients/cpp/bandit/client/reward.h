// SPDX-License-Identifier: Apache-2.0
// A reward, and what became of it.
#ifndef BANDIT_CLIENT_REWARD_H_
#define BANDIT_CLIENT_REWARD_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bandit::client {

// How well the answer to one request did, by one metric.
struct Reward {
  // Decision::token. Empty where `request_id` is given.
  std::string token;
  // One that the experiment declares. Empty: its reward metric.
  std::string metric;
  // Finite; 0 or 1 for a binary metric.
  double value = 0;
  // Instead of the token, where the config has a `join`: the value that the
  // request had under its key (`x-request-id`), at most 256 bytes.
  std::string request_id;
};

// The router's answer: bandit.v1.Outcome.
enum class Outcome {
  // Counted, and durable.
  kAccepted = 1,
  // One for this decision and metric was counted before. After a retry this is
  // good news: the try before had arrived.
  kDuplicate = 2,
  // The metric's attribution window has passed.
  kLate = 3,
  // The token's experiment or epoch, or the request id, is not known there.
  kUnknown = 4,
  // A forged or damaged token, an undeclared metric, a value out of range.
  kRejected = 5,
};

// As the protocol spells it: "ACCEPTED", ...
std::string_view Name(Outcome outcome);

// What can be seen of a reward without the router: InvalidArgument if it has
// neither token nor request id, a token, metric or id that cannot be one by its
// letters or length, or a value that is not finite.
absl::Status Check(const Reward& reward);

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_REWARD_H_
