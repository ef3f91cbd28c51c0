// SPDX-License-Identifier: Apache-2.0
// The response's way: from the backend's stream to the client's, and how a call
// ends.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "router/proxy/exchange.h"
#include "router/proxy/worker_state.h"

namespace bandit::proxy {

using Outcome = upstream::Backend::Outcome;

namespace {

// 1xx: not the response yet.
bool IsInterim(std::string_view status) {
  return status.size() == 3 && status[0] == '1';
}

int ParseHttpStatus(std::string_view status) {
  int code = 0;
  std::from_chars(status.data(), status.data() + status.size(), code);
  return code;
}

// What a gateway says of a server that it did not reach.
bool IsUnavailable(int code) {
  return code == static_cast<int>(GrpcStatus::kUnavailable) ||
         (code >= 502 && code <= 504);
}

}  // namespace

void Exchange::OnResponseHeaders(bool complete, bool end) {
  if (!complete) {
    outcome_ = Outcome::kAnswered;
    backend_.session->Reset(backend_.id, NGHTTP2_CANCEL);
    Answer(
        GrpcStatus::kInternal,
        fmt::format("{}: the response's {} are larger than "
                    "limits.max_header_list = {} bytes",
                    Place(), response_started_ ? "trailers" : "header fields",
                    generation_->plan->limits.max_header_list()));
    return;
  }
  if (response_started_) {
    response_trailing_ = true;
    NoteCode(response_trailers_);
    return;
  }
  if (IsInterim(response_.Find(":status"))) {
    // Copied by nghttp2: the block is used again for the final response.
    std::vector<nghttp2_nv> fields(response_.fields().begin(),
                                   response_.fields().end());
    for (nghttp2_nv& field : fields) field.flags = NGHTTP2_NV_FLAG_NONE;
    if (client_.open) client_.session->SubmitInterim(client_.id, fields);
    response_.Clear();
    return;
  }
  first_byte_ns_ = worker_.loop.now();
  NoteCode(response_);
  SubmitResponse(end);
}

void Exchange::NoteCode(const http2::HeaderBlock& block) {
  const std::string_view grpc_status = block.Find("grpc-status");
  if (grpc_status.data() != nullptr) {
    code_ = ParseGrpcStatus(grpc_status);
    code_known_ = true;
    return;
  }
  const std::string_view status = block.Find(":status");
  if (status.data() != nullptr && !IsGrpc(block.Find("content-type"))) {
    code_ = ParseHttpStatus(status);
    code_known_ = true;
  }
}

void Exchange::NoteOutcome() {
  outcome_ = code_known_ && IsUnavailable(code_) ? Outcome::kFailed
                                                 : Outcome::kAnswered;
}

void Exchange::SubmitResponse(bool end) {
  response_started_ = true;
  if (!client_.open) return;
  AddDecisionHeaders(response_);
  client_.session->SubmitResponse(client_.id, response_.fields(), end);
}

void Exchange::AddDecisionHeaders(http2::HeaderBlock& block) {
  if (!experiment_.has_value()) return;
  const experiment::Experiment& experiment =
      generation_->plan->experiments[*experiment_];
  block.AddBorrowed("x-bandit-decision", token_, /*indexed=*/false);
  block.AddBorrowed("x-bandit-arm",
                    experiment.arms[assignment_.decision.arm].name);
  block.AddBorrowed("x-bandit-experiment", experiment.name);
}

void Exchange::Answer(GrpcStatus status, const std::string& message) {
  phase_ = Phase::kAnswered;
  worker_.wheel.Unset(deadline_);
  client_.Consume(client_.unconsumed);
  client_.body.Clear();
  if (!client_.open || trailers_submitted_) return;
  code_ = static_cast<int>(status);
  code_known_ = true;
  response_end_ns_ = worker_.loop.now();
  answer_message_ = EncodeGrpcMessage(message);
  if (grpc_) {
    AnswerGrpc(status);
  } else {
    AnswerHttp(status, message);
  }
}

void Exchange::AnswerGrpc(GrpcStatus status) {
  answer_status_ = std::to_string(static_cast<int>(status));
  const bool trailers_only = !std::exchange(response_started_, true);
  http2::HeaderBlock& block = trailers_only ? response_ : response_trailers_;
  block.Clear();
  if (trailers_only) {
    block.AddBorrowed(":status", "200");
    block.AddBorrowed("content-type", "application/grpc");
  }
  block.AddBorrowed("grpc-status", answer_status_);
  block.AddBorrowed("grpc-message", answer_message_, /*indexed=*/false);
  if (trailers_only) {
    AddDecisionHeaders(block);
    client_.session->SubmitResponse(client_.id, block.fields(), true);
    return;
  }
  // What came of the response is passed on, then the status.
  response_trailing_ = true;
  backend_.ended = true;
  EndResponse();
}

void Exchange::EndResponse() {
  // Trailers need no window, but nghttp2 asks for more of a body only when
  // there is one.
  if (response_trailing_ && backend_.body.empty() &&
      !std::exchange(trailers_submitted_, true)) {
    client_.session->SubmitTrailers(client_.id, response_trailers_.fields());
    return;
  }
  client_.session->Resume(client_.id);
}

void Exchange::AnswerHttp(GrpcStatus status, const std::string& message) {
  if (std::exchange(response_started_, true)) {
    client_.session->Reset(client_.id, NGHTTP2_INTERNAL_ERROR);
    return;
  }
  response_.Clear();
  code_ = HttpStatusOf(status);
  answer_status_ = std::to_string(code_);
  response_.AddBorrowed(":status", answer_status_);
  response_.AddBorrowed("content-type", "text/plain; charset=utf-8");
  AddDecisionHeaders(response_);
  if (request_.Find(":method") == "HEAD") {
    client_.session->SubmitResponse(client_.id, response_.fields(), true);
    return;
  }
  backend_.body.Copy(worker_.loop.pool(), http2::BlockPool::kSmall,
                     message + "\n");
  backend_.ended = true;
  client_.session->SubmitResponse(client_.id, response_.fields(), false);
}

std::string Exchange::Place() const {
  const std::string backend =
      target_ == nullptr ? "" : fmt::format("backend {}", target_->name());
  if (!experiment_.has_value()) return target_ == nullptr ? "router" : backend;
  const experiment::Experiment& experiment =
      generation_->plan->experiments[*experiment_];
  return fmt::format("experiment {}, arm {}{}{}", experiment.name,
                     experiment.arms[assignment_.decision.arm].name,
                     backend.empty() ? "" : ", ", backend);
}

void Exchange::OnDeadline() {
  if (backend_.open) backend_.session->Reset(backend_.id, NGHTTP2_CANCEL);
  Answer(GrpcStatus::kDeadlineExceeded,
         fmt::format("{}: no response within grpc-timeout {}", Place(),
                     request_.Find("grpc-timeout")));
}

void Exchange::OnUpstreamClosed(uint32_t error_code) {
  http2::Session& session = *std::exchange(backend_.session, nullptr);
  backend_.open = false;
  if (phase_ == Phase::kForwarding && client_.open && !backend_.ended) {
    // A GOAWAY met the request before it was sent: nothing is repeated.
    const bool unsent = forwarded_ns_ == 0 && session.draining() &&
                        error_code == NGHTTP2_REFUSED_STREAM;
    if (unsent) {
      ReleaseLease();
      Submit();
    } else {
      worker_.wheel.Unset(deadline_);
      outcome_ = session.dead() ||
                         StatusOfReset(error_code) == GrpcStatus::kUnavailable
                     ? Outcome::kFailed
                     : Outcome::kAnswered;
      ReleaseLease();
      OnUpstreamFailed(session, error_code);
    }
  } else {
    worker_.wheel.Unset(deadline_);
    ReleaseLease();
    DropRequest();
  }
  RecycleIfDone();
}

void Exchange::DropRequest() {
  phase_ = Phase::kAnswered;
  client_.Consume(client_.unconsumed);
  client_.body.Clear();
  if (end_written_ && client_.open && !client_.ended) {
    client_.session->Reset(client_.id, NGHTTP2_NO_ERROR);
  }
}

void Exchange::OnUpstreamFailed(const http2::Session& session,
                                uint32_t error_code) {
  if (!session.dead()) {
    if (response_started_) {
      // As if the backend had spoken to the client directly.
      code_ = static_cast<int>(StatusOfReset(error_code));
      code_known_ = true;
      phase_ = Phase::kAnswered;
      client_.session->Reset(client_.id, error_code);
      return;
    }
    Answer(StatusOfReset(error_code),
           fmt::format("{}: the stream was reset: {}", Place(),
                       nghttp2_http2_strerror(error_code)));
    return;
  }
  Answer(GrpcStatus::kUnavailable,
         fmt::format("{}: {}", Place(), session.close_reason()));
}

void Exchange::OnDownstreamClosed() {
  client_.open = false;
  client_.session = nullptr;
  worker_.wheel.Unset(deadline_);
  if (request_headers_done_) {
    if (!code_known_) code_ = static_cast<int>(GrpcStatus::kCancelled);
    Finish(worker_.loop.now());
  }
  // A gRPC call is over with its status. What is left of the request might wait
  // for ever for the window of a backend that reads no more.
  const bool passed = client_.ended && (!grpc_ || client_.body.empty());
  if (backend_.open && !(backend_.ended && passed)) {
    backend_.session->Reset(backend_.id, NGHTTP2_CANCEL);
  }
  phase_ = Phase::kAnswered;
  RecycleIfDone();
}

void Exchange::Finish(int64_t end_ns) {
  if (std::exchange(finished_, true)) return;
  learning::CallRecord call;
  call.code = code_;
  call.latency_ns = end_ns - start_ns_;
  if (first_byte_ns_ > 0) call.ttfb_ns = first_byte_ns_ - start_ns_;
  call.overhead_ns = (forwarded_ns_ > 0 ? forwarded_ns_ - start_ns_ : 0) +
                     (response_end_ns_ > 0 ? end_ns - response_end_ns_ : 0);
  call.response_bytes = response_bytes_;
  if (experiment_.has_value()) {
    generation_->statistics.OnFinish(*experiment_, assignment_.decision, call);
  } else {
    // A call that ended while its model name was awaited.
    CountUnmatched();
    generation_->statistics.OnUnmatchedFinish(call);
  }
}

http2::HeaderBlock* Exchange::Upstream::OnHeadersBegin() {
  // What comes once the router has answered must not mix with its answer.
  if (exchange_.phase_ != Phase::kForwarding) return nullptr;
  return exchange_.response_started_ ? &exchange_.response_trailers_
                                     : &exchange_.response_;
}

void Exchange::Upstream::OnHeaders(bool complete, bool end) {
  if (exchange_.phase_ != Phase::kForwarding) return;
  if (end) exchange_.backend_.ended = true;
  exchange_.OnResponseHeaders(complete, end);
}

void Exchange::Upstream::OnData(const http2::BlockRef& block,
                                const uint8_t* data, size_t size) {
  Exchange& e = exchange_;
  e.backend_.unconsumed += size;
  if (e.phase_ != Phase::kForwarding || !e.client_.open) {
    e.backend_.Consume(size);
    return;
  }
  e.response_bytes_ += size;
  e.backend_.body.Append(e.worker_.loop.pool(), block, data, size);
  e.client_.session->Resume(e.client_.id);
}

void Exchange::Upstream::OnEnd() {
  Exchange& e = exchange_;
  e.backend_.ended = true;
  if (e.phase_ != Phase::kForwarding || !e.client_.open) return;
  e.NoteOutcome();
  e.response_end_ns_ = e.worker_.loop.now();
  e.EndResponse();
}

void Exchange::Upstream::OnClosed(uint32_t error_code) {
  exchange_.OnUpstreamClosed(error_code);
}

// The client's stream pulls the response.
http2::Stream::Outgoing Exchange::Downstream::Peek(size_t max) {
  Exchange& e = exchange_;
  Outgoing next{.size = std::min(max, e.backend_.body.size())};
  if (next.size < e.backend_.body.size() || !e.backend_.ended) return next;
  next.end = true;
  if (e.response_trailing_) {
    next.trailers = true;
    if (!std::exchange(e.trailers_submitted_, true)) {
      e.client_.session->SubmitTrailers(e.client_.id,
                                        e.response_trailers_.fields());
    }
  }
  return next;
}

void Exchange::Downstream::Take(size_t size, http2::SliceQueue& out) {
  exchange_.backend_.body.MoveTo(out, exchange_.worker_.loop.pool(), size);
  exchange_.backend_.Consume(size);
}

void Exchange::Downstream::OnEndWritten() {
  Exchange& e = exchange_;
  e.end_written_ = true;
  // A gRPC response without a status, which its client will call UNKNOWN.
  if (!e.code_known_) e.code_ = static_cast<int>(GrpcStatus::kUnknown);
  e.Finish(e.worker_.loop.now());
  // The router's own answer, or a backend that answered early and is gone:
  // nobody wants the rest of the request.
  if (!e.client_.ended && e.client_.open &&
      (e.phase_ == Phase::kAnswered || !e.backend_.open)) {
    e.client_.session->Reset(e.client_.id, NGHTTP2_NO_ERROR);
  }
}

void Exchange::Downstream::OnClosed(uint32_t) {
  exchange_.OnDownstreamClosed();
}

}  // namespace bandit::proxy
