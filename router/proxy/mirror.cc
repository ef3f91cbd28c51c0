// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/mirror.h"

#include <algorithm>
#include <utility>

#include "router/proxy/worker_state.h"

namespace bandit::proxy {
namespace {

bool Chosen(double share, std::mt19937_64& random) {
  return share >= 1 || static_cast<double>(random() >> 11) * 0x1p-53 < share;
}

}  // namespace

Mirror::Mirror(WorkerState& worker)
    : worker_(worker), request_(worker.loop.pool()) {}

Mirror* Mirror::Maybe(WorkerState& worker, Generation& generation,
                      size_t experiment, const http2::HeaderBlock& request,
                      int64_t deadline_ns) {
  const auto& target = generation.plan->experiments[experiment].mirror;
  if (!target.has_value() || !Chosen(target->share, worker.random)) {
    return nullptr;
  }
  if (worker.mirrors.in_use() >= kMost || worker.MemoryFull()) {
    ++generation.statistics.traffic(experiment).mirror_overflow;
    return nullptr;
  }
  Mirror& mirror = worker.mirrors.Take();
  mirror.Start(generation, experiment, request, deadline_ns);
  return &mirror;
}

void Mirror::Start(Generation& generation, size_t experiment,
                   const http2::HeaderBlock& request, int64_t deadline_ns) {
  generation_ = &generation;
  ++generation.live;
  experiment_ = experiment;
  fed_ = true;
  const int64_t now = worker_.loop.now();
  account_.Begin(now);
  ++generation.statistics.traffic(experiment).mirror.started;
  request_.headers.Append(request);
  attempt_ = &worker_.attempts.Take();
  const experiment::MirrorTarget& target =
      *generation.plan->experiments[experiment].mirror;
  if (target.model.has_value()) {
    auto rewriter = RewriterFor(request.view(), *target.model,
                                generation.plan->limits.max_held_message());
    if (!rewriter.ok()) return Stop(GrpcStatus::kInternal);
    if (*rewriter != nullptr) request_.headers.Remove("content-length");
    // Nothing is there yet that could fail.
    request_.body.Rewrite(*std::move(rewriter)).IgnoreError();
  }
  if (!attempt_->Start(*this, request_, *generation.backends[target.backend],
                       /*avoid=*/nullptr)) {
    return Stop(GrpcStatus::kUnavailable);
  }
  int64_t until = now + kPatienceNs;
  if (deadline_ns > 0) until = std::min(until, deadline_ns);
  worker_.loop.wheel().Set(patience_, until);
}

void Mirror::Add(const http2::BlockRef& block, const uint8_t* data,
                 size_t size) {
  if (attempt_ == nullptr) return;
  if (!request_.body.Add(block, data, size).ok()) {
    return Stop(GrpcStatus::kInvalidArgument);
  }
  if (request_.body.size() + request_.body.held() >
      generation_->plan->limits.stream_window()) {
    ++generation_->statistics.traffic(experiment_).mirror_overflow;
    return Cut();
  }
  attempt_->Resume();
}

void Mirror::End(const http2::HeaderBlock& trailers) {
  fed_ = false;
  if (attempt_ != nullptr) {
    request_.trailers.Append(trailers);
    request_.ended = true;
    attempt_->Resume();
  }
  RecycleIfDone();
}

void Mirror::Abandon() {
  fed_ = false;
  if (attempt_ != nullptr) {
    Stop(GrpcStatus::kCancelled);
  } else {
    RecycleIfDone();
  }
}

void Mirror::Stop(GrpcStatus status) {
  account_.AssumeCode(static_cast<int>(status));
  generation_->statistics.traffic(experiment_)
      .mirror.Add(account_.Record(worker_.loop.now()));
  Cut();
  RecycleIfDone();
}

void Mirror::Cut() {
  worker_.loop.wheel().Unset(patience_);
  std::exchange(attempt_, nullptr)->Release();
}

void Mirror::RecycleIfDone() {
  if (fed_ || attempt_ != nullptr) return;
  --generation_->live;
  generation_ = nullptr;
  request_.headers.Clear();
  request_.trailers.Clear();
  request_.body.Clear();
  request_.ended = false;
  response_.Clear();
  account_ = {};
  worker_.mirrors.Recycle(*this);
}

void Mirror::OnResponseHeaders(bool, bool) {
  if (IsInterim(response_.Find(":status"))) return response_.Clear();
  account_.FirstByte(worker_.loop.now());
  account_.NoteCode(response_);
  response_.Clear();
}

void Mirror::OnResponseData(const http2::BlockRef&, const uint8_t*,
                            size_t size) {
  account_.ResponseBytes(size);
  attempt_->Consume(size);
}

void Mirror::OnResponseEnd() {
  attempt_->set_outcome(account_.unavailable() ? Attempt::Outcome::kFailed
                                               : Attempt::Outcome::kAnswered);
  Stop(GrpcStatus::kUnknown);
}

void Mirror::OnAttemptClosed() {
  Stop(attempt_->failure() == Failure::kReset
           ? StatusOfReset(attempt_->error_code())
           : GrpcStatus::kUnavailable);
}

}  // namespace bandit::proxy
