// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/call_loop.h"

#include <utility>

namespace bandit::demo {

CallLoop::~CallLoop() {
  for (auto& [tag, call] : calls_) call->context.TryCancel();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) calls_.erase(tag);
}

bool CallLoop::RunOne(absl::Time deadline) {
  void* tag = nullptr;
  bool ok = false;
  if (queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(deadline)) !=
      grpc::CompletionQueue::GOT_EVENT) {
    return false;
  }
  const auto it = calls_.find(tag);
  // Taken out first: Done may start another call.
  const std::unique_ptr<Call> call = std::move(it->second);
  calls_.erase(it);
  call->Done();
  return true;
}

}  // namespace bandit::demo
