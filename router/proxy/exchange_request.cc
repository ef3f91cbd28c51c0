// SPDX-License-Identifier: Apache-2.0
// The request's way: from the client's headers to the arm that is to serve it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "router/experiment/model_name.h"
#include "router/proxy/exchange.h"
#include "router/proxy/worker_state.h"
#include "router/text/utf8.h"

namespace bandit::proxy {
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

// For a message; of a text that a caller chose.
std::string OfModel(std::string_view model) {
  constexpr size_t kMostShown = 128;
  return model.empty() ? ""
                       : fmt::format(" of model \"{}\"",
                                     text::Utf8Prefix(model, kMostShown));
}

int64_t Nanoseconds(const google::protobuf::Duration& duration) {
  return duration.seconds() * 1'000'000'000 + duration.nanos();
}

}  // namespace

void Exchange::OnRequestHeaders(bool complete) {
  if (request_headers_done_) {
    OnRequestTrailers(complete);
    return;
  }
  request_headers_done_ = true;
  account_.Begin(worker_.loop.now());
  grpc_ = IsGrpc(request_.headers.Find("content-type"));
  generation_ = worker_.generation.get();
  ++generation_->live;
  if (worker_.tap != nullptr && worker_.tap->on()) {
    observation_.Begin(*worker_.tap, request_.headers);
  }
  if (!complete) {
    AnswerTooLarge("header fields");
    return;
  }
  const std::string_view timeout = request_.headers.Find("grpc-timeout");
  if (timeout.data() != nullptr) {
    // An odd value is the backend's to refuse.
    if (const auto ns = ParseGrpcTimeout(timeout); ns.has_value()) {
      LimitTime(*ns, Bound::kGrpcTimeout);
    }
  }
  if (worker_.control != nullptr &&
      request_.headers.Find(":path").starts_with(kControlPrefix)) {
    // However great the load: rewards and those who look after it get through.
    CountUnmatched();
    target_ = worker_.control.get();
    Try();
    return;
  }
  Admit();
}

void Exchange::OnRequestTrailers(bool complete) {
  if (phase_ == Phase::kAnswered) return;
  if (!complete) {
    AnswerTooLarge("trailers");
  } else if (attempt_ != nullptr) {
    // Sent when the body has been.
    attempt_->Resume();
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
  if (choice_.drawn() || std::exchange(counted_unmatched_, true)) return;
  generation_->statistics.OnUnmatchedStart();
}

void Exchange::Admit() {
  if (worker_.MemoryFull()) {
    Refuse(learning::Rejection::kMemory);
    return;
  }
  switch (worker_.admission.Enter(*this)) {
    case Admission::Verdict::kAdmitted:
      Route();
      return;
    case Admission::Verdict::kFull:
      Refuse(learning::Rejection::kQueueFull);
      return;
    case Admission::Verdict::kWaits:
      phase_ = Phase::kQueued;
      ++generation_->statistics.load().queued;
      worker_.loop.wheel().Set(
          step_, worker_.loop.now() +
                     Nanoseconds(generation_->plan->limits.queue_timeout()));
      return;
  }
}

void Exchange::LeaveQueue() {
  if (!waiting()) return;
  worker_.admission.Leave(*this);
  ++generation_->statistics.load().dequeued;
}

void Exchange::OnAdmitted() {
  worker_.loop.wheel().Unset(step_);
  ++generation_->statistics.load().dequeued;
  account_.Waited(worker_.loop.now() - account_.start_ns());
  Route();
}

void Exchange::Refuse(learning::Rejection reason) {
  const v1::LimitsConfig& limits = generation_->plan->limits;
  CountUnmatched();
  ++generation_->statistics.load().rejected[static_cast<size_t>(reason)];
  std::string why;
  switch (reason) {
    case learning::Rejection::kQueueFull:
      why = fmt::format(
          "limits.max_requests = {} are under way and limits.queue = {} wait",
          limits.max_requests(), limits.queue());
      break;
    case learning::Rejection::kQueueTimeout:
      why = fmt::format(
          "limits.max_requests = {} were under way for limits.queue_timeout "
          "= {} ms",
          limits.max_requests(), Nanoseconds(limits.queue_timeout()) / 1000000);
      break;
    case learning::Rejection::kMemory:
      why = fmt::format("bodies that wait take limits.max_buffered = {} bytes",
                        limits.max_buffered());
      break;
  }
  Answer(GrpcStatus::kResourceExhausted, "router: " + why);
}

void Exchange::Route() {
  std::optional<size_t> experiment;
  if (Match(std::nullopt, &experiment)) {
    AssignOrDefault(experiment);
  } else {
    Hold();
  }
}

bool Exchange::Match(std::optional<std::string_view> model,
                     std::optional<size_t>* experiment) {
  const experiment::Plan& plan = *generation_->plan;
  const http2::Headers headers = request_.headers.view();
  if (!plan.overlays.empty() && !overlays_.Match(plan, headers, model)) {
    return false;
  }
  const auto result =
      plan.layers.empty()
          ? plan.routes.Match(headers, model)
          : plan.routes.Match(headers, model, [&](size_t index) {
              return experiment::TakesUnit(plan, plan.experiments[index],
                                           headers, places_, worker_.random);
            });
  *experiment =
      result.experiment.has_value() ? result.experiment : result.beside;
  return !result.needs_model;
}

void Exchange::Hold() {
  phase_ = Phase::kHolding;
  peek_ = std::make_unique<ModelPeek>(
      experiment::ShapeOf(request_.headers.Find(":path")),
      request_.headers.Find("grpc-encoding"),
      generation_->plan->limits.max_held_message());
  // What came while it waited for its turn.
  client_.Consume(client_.unconsumed);
  for (const http2::Slice& slice : request_.body.queue()) {
    peek_->Feed(slice.view());
  }
  if (request_.ended) peek_->End();
  if (peek_->done()) OnModelKnown();
}

void Exchange::HoldRequest(const http2::BlockRef& block, const uint8_t* data,
                           size_t size) {
  // The window stays open while the router is the one who needs more.
  client_.Consume(size);
  // No rewriter yet that could fail.
  request_.body.Add(block, data, size).IgnoreError();
  peek_->Feed({reinterpret_cast<const char*>(data), size});
  const uint64_t most = generation_->plan->limits.max_held_message();
  if (peek_->done()) {
    OnModelKnown();
  } else if (request_.body.size() > most) {
    CountUnmatched();
    Answer(GrpcStatus::kResourceExhausted,
           fmt::format("no model name within limits.max_held_message = {} "
                       "bytes",
                       most));
  }
}

void Exchange::OnModelKnown() {
  // An empty name matches no rule that asks for one.
  const std::string model = peek_->model().value_or("");
  peek_.reset();
  std::optional<size_t> experiment;
  Match(std::string_view(model), &experiment);
  AssignOrDefault(experiment, model);
}

bool Exchange::DrawOverlays() {
  const experiment::Experiment* refused =
      overlays_.Draw(*generation_, request_.headers, places_);
  if (refused == nullptr) return true;
  AnswerNoSuchArm(*refused);
  return false;
}

void Exchange::AnswerNoSuchArm(const experiment::Experiment& experiment) {
  CountUnmatched();
  Answer(GrpcStatus::kInvalidArgument,
         fmt::format("experiment {}: {} = {} names none of its arms",
                     experiment.name, experiment.force_key,
                     request_.headers.Find(experiment.force_key)));
}

void Exchange::AssignOrDefault(std::optional<size_t> experiment,
                               std::string_view model) {
  const experiment::Plan& plan = *generation_->plan;
  if (!experiment.has_value()) ++generation_->statistics.load().unmatched;
  if (!experiment.has_value() && !plan.default_backend.has_value()) {
    CountUnmatched();
    Answer(GrpcStatus::kUnimplemented,
           fmt::format("no experiment matches {}{} and no default_backend is "
                       "configured: compare it with the `match` of the "
                       "experiments",
                       request_.headers.Find(":path"), OfModel(model)));
    return;
  }
  request_.headers.KeepOutOfTable(plan.unique_keys);
  if (!plan.overlays.empty() && !DrawOverlays()) return;
  if (experiment.has_value()) {
    AssignTo(*experiment);
    return;
  }
  CountUnmatched();
  target_ = generation_->backends[*plan.default_backend].get();
  if (!overlays_.empty()) {
    overlays_.SetMetadata(&request_.headers);
    if (!Rewrite(overlays_.Model(std::nullopt))) return;
  }
  Try();
}

void Exchange::AssignTo(size_t index) {
  const experiment::Experiment& e = generation_->plan->experiments[index];
  if (e.timeout_ns > 0) LimitTime(e.timeout_ns, Bound::kExperiment);
  if (!choice_.Draw(*generation_, index, request_.headers, places_)) {
    AnswerNoSuchArm(e);
    return;
  }
  mirror_ = Mirror::Maybe(worker_, *generation_, index, request_.headers,
                          deadline_ns_);
  if (mirror_ != nullptr) {
    for (const http2::Slice& slice : request_.body.queue()) {
      mirror_->Add(slice.block, slice.data, slice.size);
    }
    if (request_.ended) std::exchange(mirror_, nullptr)->End(request_.trailers);
  }
  if (e.retry.has_value()) {
    tries_.Begin(&*e.retry, &generation_->retry_budgets[index]);
    if (tries_.may_repeat()) {
      request_.body.Keep(generation_->plan->limits.stream_window());
    }
  }
  if (AimAtArm()) Try();
}

void Exchange::OnRequestData(const http2::BlockRef& block, const uint8_t* data,
                             size_t size) {
  client_.unconsumed += size;
  account_.RequestBytes(size);
  if (mirror_ != nullptr) mirror_->Add(block, data, size);
  switch (phase_) {
    case Phase::kReceiving:
    case Phase::kAnswered:
      client_.Consume(size);
      return;
    case Phase::kHolding:
      HoldRequest(block, data, size);
      return;
    case Phase::kQueued:
    case Phase::kBackingOff:
      PassRequest(block, data, size);
      return;
    case Phase::kForwarding:
      if (PassRequest(block, data, size)) attempt_->Resume();
      return;
  }
}

bool Exchange::PassRequest(const http2::BlockRef& block, const uint8_t* data,
                           size_t size) {
  const absl::Status status = request_.body.Add(block, data, size);
  if (!status.ok()) {
    Answer(StatusOf(status),
           fmt::format("{}: {}", Place(), std::string(status.message())));
    return false;
  }
  // What the rewriter keeps back is bounded by itself.
  if (request_.body.held() > 0) client_.Consume(client_.unconsumed);
  NoteHeld();
  return true;
}

void Exchange::NoteHeld() {
  const size_t held = request_.body.held();
  worker_.held_messages += held - held_;
  held_ = held;
}

bool Exchange::AimAtArm() {
  const experiment::Arm& arm = choice_.arm();
  target_ = generation_->backends[arm.backend].get();
  if (!choice_.experiment().metadata_keys.empty()) {
    choice_.SetMetadata(&request_.headers);
  }
  if (overlays_.empty()) return Rewrite(arm.model);
  overlays_.SetMetadata(&request_.headers);
  return Rewrite(overlays_.Model(arm.model));
}

bool Exchange::Rewrite(const std::optional<experiment::ModelOverride>& model) {
  std::unique_ptr<MessageRewriter> rewriter;
  absl::Status status;
  if (model.has_value()) {
    auto made = RewriterFor(request_.headers.view(), *model,
                            generation_->plan->limits.max_held_message());
    status = made.status();
    if (made.ok()) rewriter = *std::move(made);
    // The length changes.
    if (rewriter != nullptr) request_.headers.Remove("content-length");
  }
  if (status.ok()) status = request_.body.Rewrite(std::move(rewriter));
  NoteHeld();
  if (status.ok()) return true;
  Answer(StatusOf(status),
         fmt::format("{}: {}", Place(), std::string(status.message())));
  return false;
}

void Exchange::OnRequestEnd() {
  if (mirror_ != nullptr) {
    std::exchange(mirror_, nullptr)->End(request_.trailers);
  }
  request_.ended = true;
  if (phase_ == Phase::kHolding) {
    peek_->End();
    OnModelKnown();
  } else if (phase_ == Phase::kForwarding) {
    attempt_->Resume();
    LimitTry();
  }
}

http2::HeaderBlock* Exchange::Downstream::OnHeadersBegin() {
  return exchange_.request_headers_done_ ? &exchange_.request_.trailers
                                         : &exchange_.request_.headers;
}

void Exchange::Downstream::OnHeaders(bool complete, bool end) {
  // So that a request without a body is forwarded as one.
  if (end) exchange_.request_.ended = true;
  exchange_.OnRequestHeaders(complete);
}

void Exchange::Downstream::OnData(const http2::BlockRef& block,
                                  const uint8_t* data, size_t size) {
  exchange_.OnRequestData(block, data, size);
}

void Exchange::Downstream::OnEnd() { exchange_.OnRequestEnd(); }

}  // namespace bandit::proxy
