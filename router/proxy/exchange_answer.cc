// SPDX-License-Identifier: Apache-2.0
// Answers of the router's own.
#include <fmt/format.h>

#include <utility>

#include "router/proxy/exchange.h"
#include "router/proxy/worker_state.h"

namespace bandit::proxy {

void Exchange::Answer(GrpcStatus status, const std::string& message) {
  LeaveQueue();
  phase_ = Phase::kAnswered;
  worker_.loop.wheel().Unset(deadline_);
  worker_.loop.wheel().Unset(step_);
  DropAttempt();
  if (response_.ended) {
    // The backend's answer is whole: it stands.
    DropRequest();
    return;
  }
  client_.Consume(client_.unconsumed);
  request_.body.Clear();
  NoteHeld();
  if (!client_.open || response_.trailers_submitted) return;
  account_.NoteCode(static_cast<int>(status));
  account_.ResponseEnd(worker_.loop.now());
  answer_message_ = EncodeGrpcMessage(message);
  if (grpc_) {
    AnswerGrpc(status);
  } else {
    AnswerHttp(status, message);
  }
}

void Exchange::AnswerGrpc(GrpcStatus status) {
  answer_status_ = std::to_string(static_cast<int>(status));
  const bool trailers_only = !std::exchange(response_.started, true);
  http2::HeaderBlock& block =
      trailers_only ? response_.headers : response_.trailers;
  block.Clear();
  if (trailers_only) {
    block.AddBorrowed(":status", "200");
    block.AddBorrowed("content-type", "application/grpc");
  }
  block.AddBorrowed("grpc-status", answer_status_);
  block.AddBorrowed("grpc-message", answer_message_, /*indexed=*/false);
  if (trailers_only) {
    AddDecisions(&block);
    client_.session->SubmitResponse(client_.id, block.fields(), true);
    return;
  }
  // What came of the response is passed on, then the status.
  response_.trailing = true;
  response_.ended = true;
  EndResponse();
}

void Exchange::AnswerHttp(GrpcStatus status, const std::string& message) {
  if (std::exchange(response_.started, true)) {
    client_.session->Reset(client_.id, NGHTTP2_INTERNAL_ERROR);
    return;
  }
  response_.headers.Clear();
  const int code = HttpStatusOf(status);
  account_.NoteCode(code);
  answer_status_ = std::to_string(code);
  response_.headers.AddBorrowed(":status", answer_status_);
  response_.headers.AddBorrowed("content-type", "text/plain; charset=utf-8");
  AddDecisions(&response_.headers);
  if (request_.headers.Find(":method") == "HEAD") {
    client_.session->SubmitResponse(client_.id, response_.headers.fields(),
                                    true);
    return;
  }
  response_.body.Copy(worker_.loop.pool(), http2::BlockPool::kSmall,
                      message + "\n");
  response_.ended = true;
  client_.session->SubmitResponse(client_.id, response_.headers.fields(),
                                  false);
}

std::string Exchange::Place() const {
  const std::string backend =
      target_ == nullptr ? "" : fmt::format("backend {}", target_->name());
  if (!choice_.drawn()) return target_ == nullptr ? "router" : backend;
  return fmt::format("experiment {}, arm {}{}{}", choice_.experiment().name,
                     choice_.arm().name, backend.empty() ? "" : ", ", backend);
}

}  // namespace bandit::proxy
