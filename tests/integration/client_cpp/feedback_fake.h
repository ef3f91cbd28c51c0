// SPDX-License-Identifier: Apache-2.0
// A feedback service that answers as a test says.
#ifndef BANDIT_TESTS_INTEGRATION_CLIENT_CPP_FEEDBACK_FAKE_H_
#define BANDIT_TESTS_INTEGRATION_CLIENT_CPP_FEEDBACK_FAKE_H_

#include <grpcpp/channel.h>
#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bandit/v1/feedback.grpc.pb.h"

namespace bandit::testing {

// Thread-safety: all calls may overlap.
class FeedbackFake final : public v1::Feedback::Service {
 public:
  // Answers the nth call, from 1 on. On gRPC's threads.
  using Answer = std::function<grpc::Status(int nth, const v1::RecordRequest&,
                                            v1::RecordResponse*)>;

  explicit FeedbackFake(Answer answer);
  ~FeedbackFake() override;

  std::shared_ptr<grpc::Channel> channel() const { return channel_; }
  // The requests so far, in the order of their calls.
  std::vector<v1::RecordRequest> requests() const;
  // Waits for the nth call; false if it has not come within a minute.
  bool WaitForCall(int nth) const;

  grpc::Status Record(grpc::ServerContext* context,
                      const v1::RecordRequest* request,
                      v1::RecordResponse* response) override;

 private:
  const Answer answer_;
  mutable absl::Mutex mutex_;
  std::vector<v1::RecordRequest> requests_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

// ACCEPTED for each.
grpc::Status AcceptAll(const v1::RecordRequest& request,
                       v1::RecordResponse* response);

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_INTEGRATION_CLIENT_CPP_FEEDBACK_FAKE_H_
