// SPDX-License-Identifier: Apache-2.0
#include "router/control/feedback_service.h"

#include <deque>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace bandit::control {
namespace {

// Requests of one stream that may be under way: enough to keep the learner
// busy while answers travel.
constexpr size_t kPipeline = 32;

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message()));
}

// One stream. Deletes itself when gRPC is done with it, which is not before
// the learner is: Finish waits for the last request under way.
class StreamReactor final
    : public grpc::ServerBidiReactor<v1::RecordRequest, v1::RecordResponse> {
 public:
  explicit StreamReactor(const RewardIntake* intake) : intake_(intake) {
    absl::MutexLock lock(&mutex_);
    Read();
  }

  void OnReadDone(bool ok) override {
    Slot* slot = nullptr;
    {
      absl::MutexLock lock(&mutex_);
      if (!ok || !status_.ok()) {
        reading_ = false;
        ended_ = true;
        Proceed();
        return;
      }
      slot = &slots_.emplace_back();
      ++under_way_;
    }
    // Unlocked: the answer may come at once, on this thread.
    intake_->Record(request_, &slot->response,
                    [this, slot](const absl::Status& status) {
                      absl::MutexLock lock(&mutex_);
                      slot->answered = true;
                      slot->status = status;
                      --under_way_;
                      Proceed();
                    });
    absl::MutexLock lock(&mutex_);
    reading_ = false;
    Read();
    Proceed();
  }

  void OnWriteDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    slots_.pop_front();
    if (!ok) {
      status_ = absl::CancelledError("the client has gone");
    }
    Read();
    Proceed();
  }

  void OnDone() override {
    // The learner's thread may still be on its way out of Finish.
    { absl::MutexLock lock(&mutex_); }
    delete this;
  }

 private:
  // A deque keeps its elements in place.
  struct Slot {
    v1::RecordResponse response;
    absl::Status status;
    bool answered = false;
  };

  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (reading_ || ended_ || !status_.ok() || slots_.size() >= kPipeline) {
      return;
    }
    reading_ = true;
    StartRead(&request_);
  }

  // Writes the oldest answer, or ends the stream, if it is time for that.
  void Proceed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (status_.ok() && !slots_.empty() && slots_.front().answered) {
      status_ = slots_.front().status;
      if (status_.ok()) {
        writing_ = true;
        StartWrite(&slots_.front().response);
        return;
      }
    }
    const bool over = !status_.ok() || (ended_ && slots_.empty());
    if (over && under_way_ == 0) {
      finished_ = true;
      Finish(ToGrpc(status_));
    }
  }

  const RewardIntake* intake_;
  // Of one read at a time, until it has been judged: `reading_`.
  v1::RecordRequest request_;

  absl::Mutex mutex_;
  std::deque<Slot> slots_ ABSL_GUARDED_BY(mutex_);
  size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

grpc::ServerUnaryReactor* FeedbackService::Record(
    grpc::CallbackServerContext* context, const v1::RecordRequest* request,
    v1::RecordResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  intake_.Record(*request, response, [reactor](const absl::Status& status) {
    reactor->Finish(ToGrpc(status));
  });
  return reactor;
}

grpc::ServerBidiReactor<v1::RecordRequest, v1::RecordResponse>*
FeedbackService::Stream(grpc::CallbackServerContext*) {
  return new StreamReactor(&intake_);
}

}  // namespace bandit::control
