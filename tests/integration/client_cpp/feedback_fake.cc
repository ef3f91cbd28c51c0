// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/client_cpp/feedback_fake.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>

#include <utility>

namespace bandit::testing {

FeedbackFake::FeedbackFake(Answer answer) : answer_(std::move(answer)) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                 grpc::InsecureChannelCredentials());
}

FeedbackFake::~FeedbackFake() { server_->Shutdown(); }

std::vector<v1::RecordRequest> FeedbackFake::requests() const {
  absl::MutexLock lock(&mutex_);
  return requests_;
}

bool FeedbackFake::WaitForCall(int nth) const {
  absl::MutexLock lock(&mutex_);
  const auto has_come = [this, nth]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return requests_.size() >= static_cast<size_t>(nth);
  };
  return mutex_.AwaitWithTimeout(absl::Condition(&has_come), absl::Minutes(1));
}

grpc::Status FeedbackFake::Record(grpc::ServerContext* context,
                                  const v1::RecordRequest* request,
                                  v1::RecordResponse* response) {
  int nth = 0;
  {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(*request);
    nth = static_cast<int>(requests_.size());
  }
  return answer_(nth, *request, response);
}

grpc::Status AcceptAll(const v1::RecordRequest& request,
                       v1::RecordResponse* response) {
  for (int i = 0; i < request.rewards_size(); ++i) {
    response->add_outcomes(v1::ACCEPTED);
  }
  return grpc::Status::OK;
}

}  // namespace bandit::testing
