// SPDX-License-Identifier: Apache-2.0
// Asynchronous gRPC calls on one thread.
//
// Requests, rewards and status polls are all in flight at once; with one
// completion queue and a deadline as the timer, none of it needs a lock.
#ifndef BANDIT_EXAMPLES_DEMO_CALL_LOOP_H_
#define BANDIT_EXAMPLES_DEMO_CALL_LOOP_H_

#include <memory>
#include <unordered_map>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"

namespace bandit::demo {

// One unary call. Its address is the completion queue's tag.
struct Call {
  virtual ~Call() = default;
  // Called once, when `status` and the response are there.
  virtual void Done() = 0;

  grpc::ClientContext context;
  grpc::Status status;
};

// Thread-safety: none.
class CallLoop {
 public:
  CallLoop() = default;
  // Cancels what is outstanding, without calling Done.
  ~CallLoop();
  CallLoop(const CallLoop&) = delete;
  CallLoop& operator=(const CallLoop&) = delete;

  grpc::CompletionQueue* queue() { return &queue_; }
  // Takes a call that is to be started on queue() with itself as tag.
  template <typename T>
  T* Own(std::unique_ptr<T> call) {
    T* const raw = call.get();
    calls_[raw] = std::move(call);
    return raw;
  }
  // Calls not yet done.
  size_t size() const { return calls_.size(); }
  // Waits for one call to end and lets it know; false if none did before
  // `deadline`.
  bool RunOne(absl::Time deadline);

 private:
  grpc::CompletionQueue queue_;
  std::unordered_map<void*, std::unique_ptr<Call>> calls_;
};

}  // namespace bandit::demo

#endif  // BANDIT_EXAMPLES_DEMO_CALL_LOOP_H_
