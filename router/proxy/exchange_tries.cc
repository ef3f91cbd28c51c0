// SPDX-License-Identifier: Apache-2.0
// The tries at a backend: time limits, what is sent again, and where.
#include <fmt/format.h>

#include <utility>

#include "router/proxy/exchange.h"
#include "router/proxy/worker_state.h"

namespace bandit::proxy {

using Outcome = Attempt::Outcome;

void Exchange::LimitTime(int64_t ns, Bound bound) {
  if (ns > INT64_MAX - account_.start_ns()) return;
  const int64_t at = account_.start_ns() + ns;
  if (bound_ != Bound::kNone && at >= deadline_ns_) return;
  bound_ = bound;
  deadline_ns_ = at;
  worker_.loop.wheel().Set(deadline_, at);
}

void Exchange::OnDeadline() {
  const std::string bound =
      bound_ == Bound::kExperiment
          ? fmt::format("the experiment's timeout of {} ms",
                        choice_.experiment().timeout_ns / 1'000'000)
          : fmt::format("grpc-timeout {}",
                        caller_timeout_.empty()
                            ? request_.headers.Find("grpc-timeout")
                            : std::string_view(caller_timeout_));
  Answer(GrpcStatus::kDeadlineExceeded,
         phase_ == Phase::kQueued
             ? fmt::format("router: limits.max_requests = {} were under way "
                           "for the whole {}",
                           generation_->plan->limits.max_requests(), bound)
             : fmt::format("{}: no response within {}", Place(), bound));
}

void Exchange::Try() {
  phase_ = Phase::kForwarding;
  WriteTimeout();
  if (observation_.on()) observation_.Propagate(&request_.headers);
  attempt_ = &worker_.attempts.Take();
  if (attempt_->Start(*this, request_, *target_, avoid_)) {
    if (observation_.on()) observation_.OnTry(attempt_->endpoint()->name());
    LimitTry();
  } else if (!TryAgain(attempt_->failure())) {
    AnswerFailed();
  }
}

// The backend learns what is left of the time; what the caller sent passes
// as it came as long as that is the same.
void Exchange::WriteTimeout() {
  const bool changed = bound_ == Bound::kExperiment ||
                       (bound_ == Bound::kGrpcTimeout && tries_.repeated() > 0);
  if (!changed || !grpc_) return;
  if (bound_ == Bound::kGrpcTimeout && caller_timeout_.empty()) {
    caller_timeout_ = request_.headers.Find("grpc-timeout");
  }
  request_.headers.Remove("grpc-timeout");
  timeout_ = FormatGrpcTimeout(deadline_ns_ - worker_.loop.now());
  request_.headers.AddBorrowed("grpc-timeout", timeout_, /*indexed=*/false);
}

void Exchange::LimitTry() {
  const int64_t ns = tries_.per_try_ns();
  if (ns == 0 || !request_.ended || response_.started) return;
  worker_.loop.wheel().Set(step_, worker_.loop.now() + ns);
}

void Exchange::OnStepExpired() {
  switch (phase_) {
    case Phase::kQueued:
      LeaveQueue();
      Refuse(learning::Rejection::kQueueTimeout);
      return;
    case Phase::kBackingOff:
      Try();
      return;
    case Phase::kForwarding:
      OnTryTimeout();
      return;
    case Phase::kReceiving:
    case Phase::kHolding:
    case Phase::kAnswered:
      return;
  }
}

void Exchange::OnTryTimeout() {
  // What cannot be sent again is better waited for.
  if (response_.started || !request_.body.whole()) return;
  attempt_->set_outcome(Outcome::kFailed);
  if (TryAgain(Failure::kTimeout)) return;
  Answer(GrpcStatus::kDeadlineExceeded,
         fmt::format("{}: no response within retry.per_try_timeout = {} ms",
                     Place(), tries_.per_try_ns() / 1'000'000));
}

bool Exchange::TryAgain(Failure failure) {
  if (response_.started || !request_.body.whole()) return false;
  const Tries::Step step = tries_.After(failure);
  if (step.denied) {
    ++generation_->statistics.traffic(*choice_.index()).retries_denied;
  }
  if (step.next == Tries::Next::kGiveUp) return false;
  const int64_t now = worker_.loop.now();
  const int64_t at =
      step.next == Tries::Next::kAtOnce
          ? now
          : now + RetryBackoffNs(tries_.repeated(), worker_.random());
  // Better this failure now than the deadline later.
  if (bound_ != Bound::kNone && at >= deadline_ns_ && !step.other_arm) {
    return false;
  }
  generation_->statistics.OnRetry(choice_.index(), ReasonOf(failure));
  worker_.loop.wheel().Unset(step_);
  avoid_ = attempt_->endpoint();
  DropAttempt();
  response_.headers.Clear();
  request_.body.Rewind();
  if (step.other_arm && FallBack()) {
    if (phase_ != Phase::kAnswered) Try();
  } else if (at == now) {
    Try();
  } else {
    phase_ = Phase::kBackingOff;
    worker_.loop.wheel().Set(step_, at);
  }
  return true;
}

bool Exchange::FallBack() {
  if (!request_.body.rewritable() || !choice_.FallBack()) return false;
  avoid_ = nullptr;
  AimAtArm();
  return true;
}

void Exchange::DropAttempt() {
  if (attempt_ != nullptr) std::exchange(attempt_, nullptr)->Release();
}

void Exchange::AnswerFailed() {
  const GrpcStatus status = attempt_->failure() == Failure::kReset
                                ? StatusOfReset(attempt_->error_code())
                                : GrpcStatus::kUnavailable;
  // The backend gave up in time; the wheel is up to a tick late.
  if (status == GrpcStatus::kCancelled && bound_ != Bound::kNone &&
      deadline_ns_ <= worker_.loop.now()) {
    OnDeadline();
    return;
  }
  Answer(status, fmt::format("{}: {}", Place(), attempt_->why()));
}

}  // namespace bandit::proxy
