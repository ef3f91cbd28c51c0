// SPDX-License-Identifier: Apache-2.0
// Why a request would get its arm now.
#ifndef BANDIT_CLIENTS_CLI_EXPLAIN_H_
#define BANDIT_CLIENTS_CLI_EXPLAIN_H_

#include <string>
#include <vector>

#include "bandit/v1/explain.pb.h"
#include "clients/cli/result.h"
#include "clients/cli/router_call.h"

namespace bandit::cli {

struct ExplainOptions {
  std::string experiment;
  std::string unit;
  std::vector<std::string> metadata;  // "key=value"
  std::string model;
  std::string service;
  std::string method;
  std::string authority;
};

// Asks the router that is to decide it.
Result Explain(const RouterAddress& router, const ExplainOptions& options,
               bool json);

// The steps in words, what comes out last.
std::string RenderExplanation(const v1::Explanation& explanation);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_EXPLAIN_H_
