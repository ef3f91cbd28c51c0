// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/decision.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "bandit/client/hashing.h"
#include "bandit/client/token.h"

namespace bandit::client {
namespace {

std::vector<std::string> Values(const Metadata& metadata, const char* key) {
  std::vector<std::string> values;
  // Values of one key keep the order in which they came.
  const auto [begin, end] = metadata.equal_range(key);
  for (auto it = begin; it != end; ++it) {
    values.emplace_back(it->second.data(), it->second.size());
  }
  return values;
}

// The token at `next` is of this experiment, or cannot be read (a router newer
// than this client): then order is all there is to go by.
bool IsOf(const std::string& token, const std::string& experiment) {
  const auto fields = ReadToken(token);
  return !fields.ok() || fields->experiment == ExperimentId(experiment);
}

}  // namespace

Decisions ReadDecisions(const Metadata& metadata) {
  std::vector<std::string> experiments =
      Values(metadata, "x-bandit-experiment");
  std::vector<std::string> arms = Values(metadata, "x-bandit-arm");
  std::vector<std::string> tokens = Values(metadata, "x-bandit-decision");
  std::vector<std::string> reasons = Values(metadata, "x-bandit-uncounted");
  arms.resize(experiments.size());
  const bool all_counted = tokens.size() == experiments.size();
  Decisions decisions;
  auto token = tokens.begin();
  auto reason = reasons.begin();
  for (size_t i = 0; i < experiments.size(); ++i) {
    Decision decision;
    if (token != tokens.end() &&
        (all_counted || IsOf(*token, experiments[i]))) {
      decision.token = std::move(*token++);
    } else if (reason != reasons.end()) {
      decision.uncounted = std::move(*reason++);
    }
    decision.experiment = std::move(experiments[i]);
    decision.arm = std::move(arms[i]);
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

Decisions ReadDecisions(const grpc::ClientContext& context) {
  Decisions decisions = ReadDecisions(context.GetServerInitialMetadata());
  if (!decisions.empty()) return decisions;
  return ReadDecisions(context.GetServerTrailingMetadata());
}

}  // namespace bandit::client
