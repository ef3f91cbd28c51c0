// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/proxy/worker_state.h"

namespace bandit::proxy {

bool Attempt::Start(Owner& owner, Request& request, upstream::Backend& backend,
                    const Endpoint* avoid) {
  owner_ = &owner;
  request_ = &request;
  backend_ = &backend;
  lease_ = backend.Acquire(avoid);
  session_ = lease_.session;
  endpoint_ = lease_.endpoint;
  if (!lease_) {
    failure_ = lease_.refusal == upstream::Backend::Refusal::kCircuitOpen
                   ? Failure::kCircuitOpen
                   : Failure::kNoConnection;
    why_ = backend.WhyNone(lease_);
    return false;
  }
  const bool end =
      request.ended && request.body.empty() && request.trailers.empty();
  const int32_t id =
      session_->SubmitRequest(request.headers.fields(), end, this);
  if (id < 0) {
    failure_ = Failure::kNoConnection;
    why_ = fmt::format("the connection takes no more requests: {}",
                       nghttp2_strerror(id));
    ReleaseLease();
    return false;
  }
  id_ = id;
  open_ = true;
  sent_all_ = end;
  return true;
}

void Attempt::Release() {
  if (!open_) {
    Recycle();
    return;
  }
  owner_ = nullptr;
  if (!ended_ || !sent_all_) session_->Reset(id_, NGHTTP2_CANCEL);
  // Now, so that an endpoint that takes no bytes is known as such at once.
  ReleaseLease();
}

void Attempt::Resume() {
  if (open_) session_->Resume(id_);
}

void Attempt::Consume(size_t size) {
  size = std::min(size, unconsumed_);
  if (size == 0) return;
  unconsumed_ -= size;
  if (open_) session_->Consume(id_, size);
}

void Attempt::ReleaseLease() {
  if (lease_) backend_->Release(std::exchange(lease_, {}), outcome_);
}

void Attempt::Recycle() {
  owner_ = nullptr;
  request_ = nullptr;
  backend_ = nullptr;
  lease_ = {};
  session_ = nullptr;
  endpoint_ = nullptr;
  outcome_ = Outcome::kAbandoned;
  id_ = 0;
  unconsumed_ = 0;
  open_ = false;
  written_ = false;
  sent_all_ = false;
  trailers_submitted_ = false;
  ended_ = false;
  failure_ = Failure::kReset;
  error_code_ = 0;
  why_.clear();
  worker_.attempts.Recycle(*this);
}

http2::HeaderBlock* Attempt::OnHeadersBegin() {
  return owner_ == nullptr ? nullptr : owner_->OnResponseBegin();
}

void Attempt::OnHeaders(bool complete, bool end) {
  if (owner_ == nullptr) return;
  ended_ |= end;
  owner_->OnResponseHeaders(complete, end);
}

void Attempt::OnData(const http2::BlockRef& block, const uint8_t* data,
                     size_t size) {
  unconsumed_ += size;
  if (owner_ == nullptr) {
    Consume(size);
  } else {
    owner_->OnResponseData(block, data, size);
  }
}

void Attempt::OnEnd() {
  ended_ = true;
  if (owner_ != nullptr) owner_->OnResponseEnd();
}

void Attempt::OnClosed(uint32_t error_code) {
  open_ = false;
  error_code_ = error_code;
  if (owner_ != nullptr && !ended_) NoteFailure(error_code);
  ReleaseLease();
  if (owner_ != nullptr) {
    owner_->OnAttemptClosed();
  } else {
    Recycle();
  }
}

// The stream ended before the response did, and not by the router's doing.
void Attempt::NoteFailure(uint32_t error_code) {
  const http2::Session& session = *session_;
  const bool refused = error_code == NGHTTP2_REFUSED_STREAM;
  outcome_ = Outcome::kFailed;
  if (session.dead()) {
    failure_ = written_ ? Failure::kBroken : Failure::kUnsent;
    why_ = session.close_reason();
    return;
  }
  why_ = fmt::format("the stream was reset: {}",
                     nghttp2_http2_strerror(error_code));
  if (!written_ && refused && session.draining()) {
    // A GOAWAY met the request before it was sent.
    failure_ = Failure::kUnsent;
    outcome_ = Outcome::kAbandoned;
  } else if (refused) {
    failure_ = Failure::kRefused;
    if (session.draining()) outcome_ = Outcome::kAbandoned;
  } else {
    failure_ = Failure::kReset;
    outcome_ = Outcome::kAnswered;
  }
}

http2::Stream::Outgoing Attempt::Peek(size_t max) {
  if (owner_ == nullptr) return {};
  const RequestBody& body = request_->body;
  Outgoing next{.size = std::min(max, body.size())};
  if (next.size < body.size() || !request_->ended) return next;
  next.end = true;
  sent_all_ = true;
  if (!request_->trailers.empty()) {
    next.trailers = true;
    if (!std::exchange(trailers_submitted_, true)) {
      session_->SubmitTrailers(id_, request_->trailers.fields());
    }
  }
  return next;
}

void Attempt::Take(size_t size, http2::SliceQueue& out) {
  if (owner_ == nullptr) return;
  request_->body.Take(size, out);
  owner_->OnSent(size);
}

void Attempt::OnHeadersWritten() {
  written_ = true;
  if (owner_ != nullptr) owner_->OnForwarded();
}

}  // namespace bandit::proxy
