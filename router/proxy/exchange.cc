// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/exchange.h"

#include <algorithm>
#include <utility>

#include "router/proxy/worker_state.h"

namespace bandit::proxy {

Exchange::Exchange(WorkerState& worker)
    : worker_(worker),
      request_(worker.loop.pool()),
      choice_(worker),
      overlays_(worker) {}

void Exchange::Client::Consume(size_t size) {
  size = std::min(size, unconsumed);
  if (size == 0) return;
  unconsumed -= size;
  if (open) session->Consume(id, size);
}

void Exchange::Response::Clear() {
  headers.Clear();
  trailers.Clear();
  body.Clear();
  started = false;
  trailing = false;
  ended = false;
  trailers_submitted = false;
  end_written = false;
}

http2::Stream* Exchange::Start(http2::Session& session, int32_t id) {
  client_ = {.session = &session, .id = id, .open = true};
  return &downstream_;
}

void Exchange::Finish(int64_t end_ns) {
  if (std::exchange(finished_, true)) return;
  const learning::CallRecord call = account_.Record(end_ns);
  if (choice_.drawn()) {
    choice_.Finish(call);
  } else {
    // A call that ended while its model name was awaited.
    CountUnmatched();
    generation_->statistics.OnUnmatchedFinish(call);
  }
  if (!overlays_.empty()) overlays_.Finish(call);
  if (observation_.on()) Observe(call);
}

void Exchange::AddDecisions(http2::HeaderBlock* block) {
  choice_.AddHeaders(block);
  if (!overlays_.empty()) overlays_.AddHeaders(block);
}

void Exchange::RecycleIfDone() {
  if (client_.open || (attempt_ != nullptr && attempt_->open())) return;
  Reset();
  // Its place may go to another exchange, which begins at once.
  worker_.admission.Leave(*this);
  worker_.exchanges.Recycle(*this);
}

// As new, but for the memory that containers keep, and its place in the
// worker's count.
void Exchange::Reset() {
  worker_.loop.wheel().Unset(deadline_);
  worker_.loop.wheel().Unset(step_);
  if (mirror_ != nullptr) std::exchange(mirror_, nullptr)->Abandon();
  DropAttempt();
  tries_.End();
  if (generation_ != nullptr) --generation_->live;
  generation_ = nullptr;
  phase_ = Phase::kReceiving;
  client_ = {};
  request_.headers.Clear();
  request_.trailers.Clear();
  request_.body.Clear();
  NoteHeld();
  request_.ended = false;
  response_.Clear();
  grpc_ = false;
  request_headers_done_ = false;
  finished_ = false;
  counted_unmatched_ = false;
  bound_ = Bound::kNone;
  deadline_ns_ = 0;
  caller_timeout_.clear();
  choice_.Reset();
  overlays_.Reset();
  places_.Reset();
  target_ = nullptr;
  avoid_ = nullptr;
  peek_.reset();
  account_ = {};
  observation_.Reset();
}

}  // namespace bandit::proxy
