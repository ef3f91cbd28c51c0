// SPDX-License-Identifier: Apache-2.0
// What the router decided for a request, from its response's metadata.
#ifndef BANDIT_CLIENT_DECISION_H_
#define BANDIT_CLIENT_DECISION_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/string_ref.h>

#include <map>
#include <string>
#include <vector>

namespace bandit::client {

struct Decision {
  // What a reward is sent with: `x-bandit-decision`. Empty for a request that
  // was not counted: it got an arm, and there is nothing to reward.
  std::string token;
  std::string experiment;
  std::string arm;
  // Why it was not counted (`holdout`, `paused`, ...); see docs/experiments.md.
  std::string uncounted;

  bool counted() const { return !token.empty(); }

  friend bool operator==(const Decision& a, const Decision& b) {
    return a.token == b.token && a.experiment == b.experiment &&
           a.arm == b.arm && a.uncounted == b.uncounted;
  }
  friend bool operator!=(const Decision& a, const Decision& b) {
    return !(a == b);
  }
};

// One for each experiment that took the request: first the one that chose the
// backend (an overlay, if none did), then overlays in the config's order. Empty
// if the request was in no experiment or was not answered by a router.
using Decisions = std::vector<Decision>;

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// Tokens are given to experiments by what they say, for those of a response
// need not be as many as its experiments: some may not count the request.
Decisions ReadDecisions(const Metadata& metadata);

// Of a call's initial metadata, else of its trailing, where an answer without a
// message (an error of the backend) has all of it.
// REQUIRES: the call has ended. (Of a stream that goes on: use
// ReadDecisions(context.GetServerInitialMetadata()) after the first message.)
Decisions ReadDecisions(const grpc::ClientContext& context);

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_DECISION_H_
