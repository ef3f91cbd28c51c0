// SPDX-License-Identifier: Apache-2.0
// A service that asks a model through the router and rewards what came of it.
//
// It fits the router.yaml and the two models of the project's README: unit
// x-user-id, metric `correct`. Whether an answer was correct is made up here:
// of arm `candidate` more are, so that the split moves.
#include <grpcpp/security/credentials.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "bandit/client/client.h"
#include "inference/grpc_predict_v2.grpc.pb.h"

namespace {

using bandit::client::Client;
using bandit::client::Decision;
using bandit::client::Scope;
using bandit::client::Subject;

// Of an image.
constexpr int kPixels = 64;

// One request for one user; the main decision, or an empty one.
Decision Ask(Client& bandit, const std::string& user) {
  const auto stub = inference::GRPCInferenceService::NewStub(bandit.channel());
  grpc::ClientContext context;
  inference::ModelInferRequest request;
  request.set_model_name("digits");
  auto* image = request.add_inputs();
  image->set_name("image");
  image->set_datatype("FP32");
  image->add_shape(1);
  image->add_shape(kPixels);
  for (int i = 0; i < kPixels; ++i) {
    image->mutable_contents()->add_fp32_contents(0);
  }
  inference::ModelInferResponse response;
  // The device is a feature, for policies that look at any.
  const Scope scope(
      Subject().Unit(user, "x-user-id").Feature("x-device", "web"));
  if (!scope.subject().status().ok()) {
    std::fprintf(stderr, "%s\n", scope.subject().status().ToString().c_str());
  }
  const grpc::Status status = stub->ModelInfer(&context, request, &response);
  if (!status.ok()) {
    std::fprintf(stderr, "the model failed with code %d: %s\n",
                 static_cast<int>(status.error_code()),
                 status.error_message().c_str());
  }
  return scope.decision();
}

int Run(const std::string& target, int requests) {
  bandit::client::ClientOptions options;
  options.rewards.on_lost = [](const bandit::client::Reward& reward,
                               const absl::Status& why) {
    std::fprintf(stderr, "lost the reward of %s: %s\n", reward.token.c_str(),
                 why.ToString().c_str());
  };
  Client bandit(target, grpc::InsecureChannelCredentials(), options);
  std::mt19937 random(7);
  std::map<std::string, int> arms;
  for (int i = 0; i < requests; ++i) {
    const Decision decision = Ask(bandit, "user-" + std::to_string(i));
    ++arms[decision.arm.empty() ? "(no experiment)" : decision.arm];
    // Held out, paused, or no experiment at all: there is nothing to learn.
    if (!decision.counted()) continue;
    const double rate = decision.arm == "candidate" ? 0.9 : 0.6;
    const bool correct = std::bernoulli_distribution(rate)(random);
    if (const absl::Status taken =
            bandit.rewards().Send(decision, "correct", correct ? 1 : 0);
        !taken.ok()) {
      std::fprintf(stderr, "not taken: %s\n", taken.ToString().c_str());
    }
  }
  const size_t left = bandit.rewards().Flush(absl::Seconds(10));
  const bandit::client::RewardCounts counts = bandit.rewards().counts();
  for (const auto& [arm, times] : arms) {
    std::printf("%-16s %d requests\n", arm.c_str(), times);
  }
  std::printf("rewards: %llu accepted, %llu not, %zu still waiting\n",
              static_cast<unsigned long long>(counts.accepted),
              static_cast<unsigned long long>(counts.taken - counts.accepted -
                                              counts.pending),
              left);
  if (counts.taken == 0) {
    std::printf(
        "No response had a decision: is %s the router's `listen` port, and "
        "does "
        "an experiment match inference.GRPCInferenceService?\n",
        target.c_str());
  }
  return counts.accepted == counts.taken && counts.taken > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    std::printf(
        "usage: client_example ROUTER [REQUESTS]\n"
        "Sends requests (by default 200) to the router's `listen` port, for "
        "example 127.0.0.1:8080, and a reward for each.\n");
    return argc < 2 ? 2 : 0;
  }
  return Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 200);
}
