// SPDX-License-Identifier: Apache-2.0
// The response's way: from the backend's stream to the client's.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "router/proxy/exchange.h"
#include "router/proxy/worker_state.h"

namespace bandit::proxy {
namespace {

using Outcome = Attempt::Outcome;

// That the backend could not serve, and nothing more: a response of headers
// alone with UNAVAILABLE, or any with HTTP 503.
bool OnlyUnavailable(const http2::HeaderBlock& headers, bool end) {
  if (headers.Find(":status") == "503") return true;
  const std::string_view status = headers.Find("grpc-status");
  return end && status.data() != nullptr &&
         ParseGrpcStatus(status) == static_cast<int>(GrpcStatus::kUnavailable);
}

}  // namespace

void Exchange::OnForwarded() { account_.Forwarded(worker_.loop.now()); }

void Exchange::OnSent(size_t size) { client_.Consume(size); }

http2::HeaderBlock* Exchange::OnResponseBegin() {
  return response_.started ? &response_.trailers : &response_.headers;
}

void Exchange::OnResponseHeaders(bool complete, bool end) {
  if (!complete) {
    attempt_->set_outcome(Outcome::kAnswered);
    Answer(
        GrpcStatus::kInternal,
        fmt::format("{}: the response's {} are larger than "
                    "limits.max_header_list = {} bytes",
                    Place(), response_.started ? "trailers" : "header fields",
                    generation_->plan->limits.max_header_list()));
    return;
  }
  if (response_.started) {
    response_.trailing = true;
    account_.NoteCode(response_.trailers);
    return;
  }
  if (IsInterim(response_.headers.Find(":status"))) {
    PassInterim();
    return;
  }
  if (OnlyUnavailable(response_.headers, end)) {
    attempt_->set_outcome(Outcome::kFailed);
    if (TryAgain(Failure::kUnavailable)) return;
  }
  account_.FirstByte(worker_.loop.now());
  account_.NoteCode(response_.headers);
  SubmitResponse(end);
}

void Exchange::PassInterim() {
  // Copied by nghttp2: the block is used again for the final response.
  std::vector<nghttp2_nv> fields(response_.headers.fields().begin(),
                                 response_.headers.fields().end());
  for (nghttp2_nv& field : fields) field.flags = NGHTTP2_NV_FLAG_NONE;
  client_.session->SubmitInterim(client_.id, fields);
  response_.headers.Clear();
}

void Exchange::SubmitResponse(bool end) {
  response_.started = true;
  worker_.loop.wheel().Unset(step_);
  request_.body.LetGo();
  AddDecisions(&response_.headers);
  client_.session->SubmitResponse(client_.id, response_.headers.fields(), end);
}

void Exchange::OnResponseData(const http2::BlockRef& block, const uint8_t* data,
                              size_t size) {
  if (!client_.open) {
    attempt_->Consume(size);
    return;
  }
  account_.ResponseBytes(size);
  response_.body.Append(worker_.loop.pool(), block, data, size);
  client_.session->Resume(client_.id);
}

void Exchange::OnResponseEnd() {
  if (!client_.open) return;
  response_.ended = true;
  attempt_->set_outcome(account_.unavailable() ? Outcome::kFailed
                                               : Outcome::kAnswered);
  account_.ResponseEnd(worker_.loop.now());
  EndResponse();
}

void Exchange::EndResponse() {
  // Trailers need no window, but nghttp2 asks for more of a body only when
  // there is one.
  if (response_.trailing && response_.body.empty() &&
      !std::exchange(response_.trailers_submitted, true)) {
    client_.session->SubmitTrailers(client_.id, response_.trailers.fields());
    return;
  }
  client_.session->Resume(client_.id);
}

void Exchange::OnAttemptClosed() {
  if (!client_.open || attempt_->ended()) {
    worker_.loop.wheel().Unset(deadline_);
    DropRequest();
  } else if (!response_.started) {
    if (!TryAgain(attempt_->failure())) AnswerFailed();
  } else if (attempt_->failure() == Failure::kReset ||
             attempt_->failure() == Failure::kRefused) {
    // As if the backend had spoken to the client directly.
    worker_.loop.wheel().Unset(deadline_);
    account_.NoteCode(static_cast<int>(StatusOfReset(attempt_->error_code())));
    phase_ = Phase::kAnswered;
    client_.session->Reset(client_.id, attempt_->error_code());
  } else {
    AnswerFailed();
  }
  RecycleIfDone();
}

void Exchange::DropRequest() {
  phase_ = Phase::kAnswered;
  client_.Consume(client_.unconsumed);
  request_.body.Clear();
  NoteHeld();
  if (response_.end_written && client_.open && !request_.ended) {
    client_.session->Reset(client_.id, NGHTTP2_NO_ERROR);
  }
}

void Exchange::OnDownstreamClosed() {
  client_.open = false;
  LeaveQueue();
  worker_.loop.wheel().Unset(deadline_);
  worker_.loop.wheel().Unset(step_);
  if (request_headers_done_) {
    account_.AssumeCode(static_cast<int>(GrpcStatus::kCancelled));
    Finish(worker_.loop.now());
  }
  phase_ = Phase::kAnswered;
  // A gRPC call is over with its status. What is left of the request might wait
  // for ever for the window of a backend that reads no more.
  const bool passed = request_.ended && (!grpc_ || request_.body.empty());
  if (attempt_ != nullptr && !(attempt_->ended() && passed)) DropAttempt();
  RecycleIfDone();
}

// The client's stream pulls the response.
http2::Stream::Outgoing Exchange::Downstream::Peek(size_t max) {
  Response& response = exchange_.response_;
  Outgoing next{.size = std::min(max, response.body.size())};
  if (next.size < response.body.size() || !response.ended) return next;
  next.end = true;
  if (response.trailing) {
    next.trailers = true;
    if (!std::exchange(response.trailers_submitted, true)) {
      exchange_.client_.session->SubmitTrailers(exchange_.client_.id,
                                                response.trailers.fields());
    }
  }
  return next;
}

void Exchange::Downstream::Take(size_t size, http2::SliceQueue& out) {
  Exchange& e = exchange_;
  e.response_.body.MoveTo(out, e.worker_.loop.pool(), size);
  if (e.attempt_ != nullptr) e.attempt_->Consume(size);
}

void Exchange::Downstream::OnEndWritten() {
  Exchange& e = exchange_;
  e.response_.end_written = true;
  // A gRPC response without a status, which its client will call UNKNOWN.
  e.account_.AssumeCode(static_cast<int>(GrpcStatus::kUnknown));
  e.Finish(e.worker_.loop.now());
  // The router's own answer, or a backend that answered early and is gone:
  // nobody wants the rest of the request.
  if (!e.request_.ended && e.client_.open &&
      (e.phase_ == Phase::kAnswered || e.attempt_ == nullptr ||
       !e.attempt_->open())) {
    e.client_.session->Reset(e.client_.id, NGHTTP2_NO_ERROR);
  }
}

void Exchange::Downstream::OnClosed(uint32_t) {
  exchange_.OnDownstreamClosed();
}

}  // namespace bandit::proxy
