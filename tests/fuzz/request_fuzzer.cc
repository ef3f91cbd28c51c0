// SPDX-License-Identifier: Apache-2.0
// A request's headers through matching, features, the draw and the token. The
// input is one header a line, `name value`.
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/text_format.h"
#include "router/experiment/assignment.h"
#include "router/experiment/plan.h"
#include "router/experiment/token.h"
#include "tests/fuzz/check.h"

namespace {

namespace experiment = bandit::experiment;
namespace policies = bandit::policies;
using bandit::http2::Header;

constexpr char kConfig[] = R"(
    backends { key: 'a' value { address: 'a:1' } }
    experiments {
      name: 'models' match { model: 'ranker' authority: 'models' }
      match { service: 'a.B' method: 'C' metadata { key: 'x-k' value: 'v' } }
      arms { name: 'one' backend: 'a' weight: 1 }
      policy { name: 'fixed_split' } reward { metric: 'error' }
    }
    experiments {
      name: 'context' match { service: 'a.B' } match { method: 'D' }
      unit { metadata: 'x-user' }
      arms { name: 'one' backend: 'a' weight: 2 }
      arms { name: 'two' backend: 'a' weight: 1 }
      arms { name: 'three' backend: 'a' weight: 0 }
      policy { name: 'fixed_split' } reward { metric: 'error' }
      context {
        features { name: 'n' metadata: 'x-n' scale: 1 }
        features { name: 'l' metadata: 'x-l' scale: 0.001 shift: 3
                   transform: TRANSFORM_LOG1P missing: 1 max: 1e30 }
        features { name: 's' metadata: 'x-s' scale: 1e-30
                   transform: TRANSFORM_SQRT }
        features { name: 'c' metadata: 'x-c' categories: ['a', 'b', ''] }
      }
    })";

std::shared_ptr<const experiment::Plan> MakePlan() {
  bandit::v1::RouterConfig config;
  FUZZ_CHECK(google::protobuf::TextFormat::ParseFromString(kConfig, &config));
  auto plan = experiment::CompilePlan(config, {});
  FUZZ_CHECK(plan.ok());
  return *plan;
}

std::shared_ptr<const policies::Model> MakeModel(
    const experiment::Experiment& experiment) {
  const std::vector<double> zeros(experiment.layout().size());
  const std::vector<policies::ArmStatistics> arms(
      experiment.arms.size(),
      policies::ArmStatistics(experiment.layout(), 0, zeros));
  auto model = experiment.policy->Prepare({arms, nullptr, {}});
  FUZZ_CHECK(model.ok());
  return *model;
}

std::vector<Header> Parse(std::string_view text) {
  std::vector<Header> headers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t space = line.find(' ');
    headers.emplace_back(line.substr(0, space),
                         space == line.npos ? "" : line.substr(space + 1));
  }
  return headers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto& plan = *new auto(MakePlan());
  static const auto& model = *new auto(MakeModel(plan->experiments[1]));
  static const experiment::TokenSigner& signer =
      *new experiment::TokenSigner("fuzz");
  const auto headers = Parse({reinterpret_cast<const char*>(data), size});

  const auto without = plan->routes.Match(headers, std::nullopt);
  const auto with = plan->routes.Match(headers, "ranker");
  FUZZ_CHECK(!with.needs_model);
  FUZZ_CHECK(!without.needs_model || !without.experiment.has_value());
  // The model matters only to those who were asked for it.
  FUZZ_CHECK(without.needs_model || without.experiment == with.experiment);

  std::mt19937_64 random(size);
  experiment::Assignment assignment;
  experiment::Assign(plan->experiments[1], *model, policies::AllArms(3),
                     headers, 1, random, &assignment);
  const experiment::Decision& decision = assignment.decision;
  FUZZ_CHECK(decision.arm < 2);
  FUZZ_CHECK(decision.features.size() == 7 && decision.features[0] == 1);
  for (const float x : decision.features) FUZZ_CHECK(std::isfinite(x));
  std::string token;
  signer.Sign(decision, &token);
  const auto verified = signer.Verify(token);
  FUZZ_CHECK(verified.ok() && *verified == decision);
  return 0;
}
