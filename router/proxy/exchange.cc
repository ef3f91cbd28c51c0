// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/exchange.h"

#include <algorithm>

#include "router/proxy/worker_state.h"

namespace bandit::proxy {

Exchange::Exchange(WorkerState& worker) : worker_(worker) {}

void Exchange::Side::Consume(size_t size) {
  size = std::min(size, unconsumed);
  if (size == 0) return;
  unconsumed -= size;
  if (open && session != nullptr) session->Consume(id, size);
}

http2::Stream* Exchange::Start(http2::Session& session, int32_t id) {
  client_.session = &session;
  client_.id = id;
  client_.open = true;
  return &downstream_handler_;
}

void Exchange::RecycleIfDone() {
  if (client_.open || backend_.open) return;
  if (generation_ != nullptr) --generation_->live;
  Reset();
  worker_.Recycle(*this);
}

// As new, but for the memory that containers keep.
void Exchange::Reset() {
  worker_.wheel.Unset(deadline_);
  generation_ = nullptr;
  phase_ = Phase::kReceiving;
  for (Side* side : {&client_, &backend_}) {
    side->session = nullptr;
    side->id = 0;
    side->open = false;
    side->ended = false;
    side->body.Clear();
    side->unconsumed = 0;
  }
  request_.Clear();
  request_trailers_.Clear();
  response_.Clear();
  response_trailers_.Clear();
  grpc_ = false;
  request_headers_done_ = false;
  response_started_ = false;
  response_trailing_ = false;
  trailers_submitted_ = false;
  request_trailers_submitted_ = false;
  end_written_ = false;
  finished_ = false;
  counted_unmatched_ = false;
  experiment_.reset();
  target_ = nullptr;
  peek_.reset();
  rewriter_.reset();
  code_ = 0;
  code_known_ = false;
  start_ns_ = 0;
  forwarded_ns_ = 0;
  first_byte_ns_ = 0;
  response_end_ns_ = 0;
  response_bytes_ = 0;
}

Exchange& WorkerState::Take() {
  if (free_exchanges.empty()) {
    exchanges.push_back(std::make_unique<Exchange>(*this));
    return *exchanges.back();
  }
  Exchange* exchange = free_exchanges.back();
  free_exchanges.pop_back();
  return *exchange;
}

void WorkerState::Recycle(Exchange& exchange) {
  free_exchanges.push_back(&exchange);
}

}  // namespace bandit::proxy
