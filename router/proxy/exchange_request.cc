// SPDX-License-Identifier: Apache-2.0
// The request's way: from the client's headers to the backend's stream.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/experiment/model_name.h"
#include "router/proxy/exchange.h"
#include "router/proxy/worker_state.h"

namespace bandit::proxy {

using Outcome = upstream::Backend::Outcome;

namespace {

// Calls to these go to the control plane, so that a service needs one port.
constexpr std::string_view kControlPrefix = "/bandit.v1.";

GrpcStatus StatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnimplemented:
      return GrpcStatus::kUnimplemented;
    case absl::StatusCode::kResourceExhausted:
      return GrpcStatus::kResourceExhausted;
    case absl::StatusCode::kInvalidArgument:
      return GrpcStatus::kInvalidArgument;
    default:
      return GrpcStatus::kInternal;
  }
}

}  // namespace

void Exchange::OnRequestHeaders(bool complete) {
  if (request_headers_done_) {
    OnRequestTrailers(complete);
    return;
  }
  request_headers_done_ = true;
  start_ns_ = worker_.loop.now();
  grpc_ = IsGrpc(request_.Find("content-type"));
  generation_ = worker_.generation.get();
  ++generation_->live;
  if (!complete) {
    AnswerTooLarge("header fields");
    return;
  }
  ArmDeadline();
  Route();
}

void Exchange::OnRequestTrailers(bool complete) {
  if (phase_ == Phase::kAnswered) return;
  if (!complete) {
    if (backend_.open) backend_.session->Reset(backend_.id, NGHTTP2_CANCEL);
    AnswerTooLarge("trailers");
  } else if (backend_.open) {
    // Sent when the body has been.
    backend_.session->Resume(backend_.id);
  }
}

void Exchange::AnswerTooLarge(std::string_view what) {
  CountUnmatched();
  Answer(GrpcStatus::kResourceExhausted,
         fmt::format("the request's {} are larger than "
                     "limits.max_header_list = {} bytes",
                     what, generation_->plan->limits.max_header_list()));
}

void Exchange::CountUnmatched() {
  if (experiment_.has_value() || std::exchange(counted_unmatched_, true)) {
    return;
  }
  generation_->statistics.OnUnmatchedStart();
}

void Exchange::Route() {
  const std::string_view path = request_.Find(":path");
  if (worker_.control != nullptr &&
      path.substr(0, kControlPrefix.size()) == kControlPrefix) {
    CountUnmatched();
    Forward(*worker_.control);
    return;
  }
  const auto result =
      generation_->plan->routes.Match(request_.view(), std::nullopt);
  if (!result.needs_model) {
    AssignOrDefault(result.experiment);
    return;
  }
  phase_ = Phase::kHolding;
  peek_ = std::make_unique<ModelPeek>(
      experiment::ShapeOf(path), request_.Find("grpc-encoding"),
      generation_->plan->limits.max_held_message());
  if (peek_->done()) OnModelKnown();
}

void Exchange::AssignOrDefault(std::optional<size_t> experiment) {
  if (experiment.has_value()) {
    AssignTo(*experiment);
    return;
  }
  CountUnmatched();
  const experiment::Plan& plan = *generation_->plan;
  if (!plan.default_backend.has_value()) {
    Answer(GrpcStatus::kUnimplemented,
           fmt::format("no experiment matches {} and no default_backend is "
                       "configured",
                       request_.Find(":path")));
    return;
  }
  Forward(*generation_->backends[*plan.default_backend]);
}

void Exchange::AssignTo(size_t index) {
  experiment_ = index;
  const experiment::Experiment& experiment =
      generation_->plan->experiments[index];
  const learning::Snapshot& snapshot = *generation_->snapshot;
  const policies::ArmSet eligible = snapshot.eligible[index];
  if (eligible == 0) {
    experiment_.reset();
    CountUnmatched();
    Answer(GrpcStatus::kUnavailable,
           fmt::format("experiment {} has no arm that may be served",
                       experiment.name));
    return;
  }
  experiment::Assign(experiment, *snapshot.models[index], eligible,
                     request_.view(), worker_.unix_ms(), worker_.random,
                     &assignment_);
  const experiment::Decision& decision = assignment_.decision;
  learning::WorkerStatistics& statistics = generation_->statistics;
  statistics.OnDecision(index, decision);
  statistics.OnStart(index, decision.arm);
  for (size_t i = 0; i < experiment.features.feature_count(); ++i) {
    if ((assignment_.missing_features >> i) & 1) {
      statistics.OnMissingFeature(index, i);
    }
  }
  if (const auto& join = generation_->plan->join; join.has_value()) {
    statistics.OnRequest(request_.Find(join->metadata), decision);
  }
  worker_.signer->Sign(decision, &token_);

  const experiment::Arm& arm = experiment.arms[decision.arm];
  if (arm.model.has_value() && !StartRewriting(*arm.model)) return;
  Forward(*generation_->backends[arm.backend]);
}

bool Exchange::StartRewriting(const experiment::ModelOverride& model) {
  const auto shape = experiment::ShapeOf(request_.Find(":path"));
  if (!grpc_ || shape == experiment::MessageShape::kUnknown) return true;
  auto suffix = experiment::OverrideSuffix(shape, model);
  if (!suffix.ok()) {
    Answer(
        GrpcStatus::kInternal,
        fmt::format("{}: {}", Place(), std::string(suffix.status().message())));
    return false;
  }
  rewriter_ = std::make_unique<MessageRewriter>(
      *std::move(suffix), request_.Find("grpc-encoding"),
      generation_->plan->limits.max_held_message());
  // The length changes.
  request_.Remove("content-length");
  return true;
}

void Exchange::Forward(upstream::Backend& backend) {
  target_ = &backend;
  // What was held back before the backend was known goes first.
  http2::SliceQueue held = std::exchange(client_.body, {});
  if (phase_ == Phase::kHolding && !held.empty()) {
    for (const http2::Slice& slice : held) {
      if (!PassRequest(slice.block, slice.data, slice.size)) return;
    }
  }
  Submit();
}

void Exchange::Submit() {
  lease_ = target_->Acquire();
  http2::Session* const session = lease_.session;
  if (session == nullptr) {
    Answer(GrpcStatus::kUnavailable,
           fmt::format("{}: {}", Place(), target_->WhyNone(lease_)));
    return;
  }
  const bool end =
      client_.ended && client_.body.empty() && request_trailers_.empty();
  const int32_t id =
      session->SubmitRequest(request_.fields(), end, &upstream_handler_);
  if (id < 0) {
    ReleaseLease();
    Answer(GrpcStatus::kUnavailable,
           fmt::format("{}: the connection takes no more requests: {}", Place(),
                       nghttp2_strerror(id)));
    return;
  }
  phase_ = Phase::kForwarding;
  backend_.session = session;
  backend_.id = id;
  backend_.open = true;
}

void Exchange::ReleaseLease() {
  if (!lease_) return;
  target_->Release(std::exchange(lease_, {}),
                   std::exchange(outcome_, Outcome::kAbandoned));
}

void Exchange::ArmDeadline() {
  const std::string_view timeout = request_.Find("grpc-timeout");
  if (timeout.data() == nullptr) return;
  const auto ns = ParseGrpcTimeout(timeout);
  // An odd value is the backend's to refuse.
  if (!ns.has_value() || *ns > INT64_MAX - start_ns_) return;
  worker_.wheel.Set(deadline_, start_ns_ + *ns);
}

void Exchange::OnRequestData(const http2::BlockRef& block, const uint8_t* data,
                             size_t size) {
  client_.unconsumed += size;
  switch (phase_) {
    case Phase::kReceiving:
    case Phase::kAnswered:
      client_.Consume(size);
      return;
    case Phase::kHolding:
      HoldRequest(block, data, size);
      return;
    case Phase::kForwarding:
      if (PassRequest(block, data, size)) {
        backend_.session->Resume(backend_.id);
      }
      return;
  }
}

void Exchange::HoldRequest(const http2::BlockRef& block, const uint8_t* data,
                           size_t size) {
  // The window stays open while the router is the one who needs more.
  client_.Consume(size);
  client_.body.Append(worker_.loop.pool(), block, data, size);
  peek_->Feed({reinterpret_cast<const char*>(data), size});
  if (peek_->done()) {
    OnModelKnown();
  } else if (client_.body.size() >
             generation_->plan->limits.max_held_message()) {
    CountUnmatched();
    Answer(GrpcStatus::kResourceExhausted,
           fmt::format("no model name within limits.max_held_message = {} "
                       "bytes",
                       generation_->plan->limits.max_held_message()));
  }
}

void Exchange::OnModelKnown() {
  const std::optional<std::string> model = peek_->model();
  peek_.reset();
  // An empty name matches no rule that asks for one.
  const auto result = generation_->plan->routes.Match(
      request_.view(),
      model.has_value() ? std::string_view(*model) : std::string_view(""));
  AssignOrDefault(result.experiment);
}

bool Exchange::PassRequest(const http2::BlockRef& block, const uint8_t* data,
                           size_t size) {
  if (rewriter_ == nullptr) {
    client_.body.Append(worker_.loop.pool(), block, data, size);
    return true;
  }
  const absl::Status status =
      rewriter_->Feed(worker_.loop.pool(), block, data, size, client_.body);
  if (!status.ok()) {
    Answer(StatusOf(status),
           fmt::format("{}: {}", Place(), std::string(status.message())));
    return false;
  }
  // What the rewriter keeps back is bounded by itself.
  if (rewriter_->held() > 0) client_.Consume(client_.unconsumed);
  return true;
}

void Exchange::OnRequestEnd() {
  client_.ended = true;
  if (phase_ == Phase::kHolding) {
    peek_->End();
    OnModelKnown();
  } else if (phase_ == Phase::kForwarding && backend_.open) {
    backend_.session->Resume(backend_.id);
  }
}

http2::HeaderBlock* Exchange::Downstream::OnHeadersBegin() {
  return exchange_.request_headers_done_ ? &exchange_.request_trailers_
                                         : &exchange_.request_;
}

void Exchange::Downstream::OnHeaders(bool complete, bool end) {
  // So that a request without a body is forwarded as one.
  if (end) exchange_.client_.ended = true;
  exchange_.OnRequestHeaders(complete);
}

void Exchange::Downstream::OnData(const http2::BlockRef& block,
                                  const uint8_t* data, size_t size) {
  exchange_.OnRequestData(block, data, size);
}

void Exchange::Downstream::OnEnd() { exchange_.OnRequestEnd(); }

// The backend's stream pulls the request.
http2::Stream::Outgoing Exchange::Upstream::Peek(size_t max) {
  Exchange& e = exchange_;
  Outgoing next{.size = std::min(max, e.client_.body.size())};
  if (next.size < e.client_.body.size() || !e.client_.ended) return next;
  next.end = true;
  if (!e.request_trailers_.empty()) {
    next.trailers = true;
    if (!std::exchange(e.request_trailers_submitted_, true)) {
      e.backend_.session->SubmitTrailers(e.backend_.id,
                                         e.request_trailers_.fields());
    }
  }
  return next;
}

void Exchange::Upstream::Take(size_t size, http2::SliceQueue& out) {
  exchange_.client_.body.MoveTo(out, exchange_.worker_.loop.pool(), size);
  exchange_.client_.Consume(size);
}

void Exchange::Upstream::OnHeadersWritten() {
  exchange_.forwarded_ns_ = exchange_.worker_.loop.now();
}

}  // namespace bandit::proxy
