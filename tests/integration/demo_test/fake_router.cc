// SPDX-License-Identifier: Apache-2.0
// A router that does one thing wrong: the first word of FAKE_ROUTER says what.
//
// The demo must notice. A working router cannot show that it would.
#include <yaml-cpp/yaml.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "bandit/v1/admin.grpc.pb.h"
#include "bandit/v1/feedback.grpc.pb.h"
#include "fmt/format.h"
#include "grpcpp/grpcpp.h"
#include "inference/grpc_predict_v2.grpc.pb.h"

namespace bandit {
namespace {

struct Arm {
  std::string name;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub;
};

// Takes turns over the arms and never learns.
class FakeRouter {
 public:
  FakeRouter(const std::string& config, std::string fault)
      : fault_(std::move(fault)) {
    const YAML::Node root = YAML::LoadFile(config);
    for (const YAML::Node& arm : root["experiments"][0]["arms"]) {
      const auto address =
          root["backends"][arm["backend"].as<std::string>()]["address"];
      arms_.push_back(
          {arm["name"].as<std::string>(),
           inference::GRPCInferenceService::NewStub(
               grpc::CreateChannel(address.as<std::string>(),
                                   grpc::InsecureChannelCredentials()))});
    }
    counts_.resize(arms_.size());
  }

  grpc::Status Infer(grpc::ServerContext* context,
                     const inference::ModelInferRequest* request,
                     inference::ModelInferResponse* response) {
    size_t arm = 0;
    uint64_t number = 0;
    {
      absl::MutexLock lock(&mutex_);
      number = decisions_++;
      arm = number % arms_.size();
    }
    if (fault_ == "crash" && number == 20) std::abort();
    if (fault_ == "fail" && number % 10 == 9) {
      return {grpc::StatusCode::UNAVAILABLE, "no backend for you"};
    }
    if (fault_ != "tokenless") {
      context->AddInitialMetadata("x-bandit-decision",
                                  fmt::format("{}-{}", arm, number));
    }
    const size_t claimed = fault_ == "liar" ? (arm + 1) % arms_.size() : arm;
    context->AddInitialMetadata("x-bandit-arm", arms_[claimed].name);
    grpc::ClientContext client;
    return arms_[arm].stub->ModelInfer(&client, *request, response);
  }

  grpc::Status Record(const v1::RecordRequest* request,
                      v1::RecordResponse* response) {
    absl::MutexLock lock(&mutex_);
    if (fault_ == "busy" && ++records_ % 2 == 1) {
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full"};
    }
    for (const v1::Reward& reward : request->rewards()) {
      const bool again = !seen_.insert(reward.decision()).second;
      if (fault_ == "reject") {
        response->add_outcomes(v1::REJECTED);
        continue;
      }
      response->add_outcomes(again ? v1::DUPLICATE : v1::ACCEPTED);
      if (!again && fault_ != "forget") {
        ++counts_[std::strtoul(reward.decision().c_str(), nullptr, 10)];
      }
    }
    return grpc::Status::OK;
  }

  grpc::Status Status(v1::RouterStatus* response) {
    absl::MutexLock lock(&mutex_);
    v1::ExperimentStatus* const experiment = response->add_experiments();
    for (size_t i = 0; i < arms_.size(); ++i) {
      v1::ArmStatus* const arm = experiment->add_arms();
      arm->set_name(arms_[i].name);
      arm->set_probability(1.0 / static_cast<double>(arms_.size()));
      arm->set_reward_count(static_cast<double>(counts_[i]));
    }
    return grpc::Status::OK;
  }

 private:
  const std::string fault_;
  std::vector<Arm> arms_;
  absl::Mutex mutex_;  // What several gRPC threads count.
  uint64_t decisions_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t records_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<std::string> seen_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> counts_ ABSL_GUARDED_BY(mutex_);
};

class InferenceService : public inference::GRPCInferenceService::Service {
 public:
  explicit InferenceService(FakeRouter* router) : router_(router) {}
  grpc::Status ModelInfer(grpc::ServerContext* context,
                          const inference::ModelInferRequest* request,
                          inference::ModelInferResponse* response) override {
    return router_->Infer(context, request, response);
  }

 private:
  FakeRouter* router_;
};

class FeedbackService : public v1::Feedback::Service {
 public:
  explicit FeedbackService(FakeRouter* router) : router_(router) {}
  grpc::Status Record(grpc::ServerContext*, const v1::RecordRequest* request,
                      v1::RecordResponse* response) override {
    return router_->Record(request, response);
  }

 private:
  FakeRouter* router_;
};

class AdminService : public v1::Admin::Service {
 public:
  explicit AdminService(FakeRouter* router) : router_(router) {}
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::RouterStatus* response) override {
    return router_->Status(response);
  }

 private:
  FakeRouter* router_;
};

int Run(const std::string& config, const std::string& fault) {
  if (fault == "config") {
    fmt::print(stderr, "{}:1: listen: no such key, did you mean nothing\n",
               config);
    return 2;
  }
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  FakeRouter router(config, fault);
  InferenceService inference(&router);
  FeedbackService feedback(&router);
  AdminService admin(&router);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&inference);
  builder.RegisterService(&feedback);
  builder.RegisterService(&admin);
  const auto server = builder.BuildAndStart();
  fmt::print(
      "bandit-router ready listen=127.0.0.1:{0} control=127.0.0.1:{0} "
      "admin=127.0.0.1:0\n",
      port);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&stop, &signal);
  return 0;
}

}  // namespace
}  // namespace bandit

int main(int argc, char** argv) {
  const char* const fault = std::getenv("FAKE_ROUTER");
  return bandit::Run(argv[argc - 1], fault == nullptr ? "" : fault);
}
