// SPDX-License-Identifier: Apache-2.0
#include "router/observe/observation.h"

#include <cstring>
#include <optional>
#include <utility>

namespace bandit::observe {
namespace {

constexpr std::string_view kTraceParent = "traceparent";
constexpr std::string_view kTraceState = "tracestate";

std::optional<TraceParent> ReadTraceParent(const http2::HeaderBlock& request) {
  std::optional<TraceParent> parent;
  bool seen = false;
  for (const http2::Header& header : request.view()) {
    if (header.name != kTraceParent) continue;
    if (std::exchange(seen, true)) return std::nullopt;
    parent = ParseTraceParent(header.value);
  }
  return parent;
}

template <typename Id>
void MakeId(Tap& tap, Id* id) {
  for (size_t i = 0; i < id->size(); i += sizeof(uint64_t)) {
    // All zeros are no id.
    const uint64_t random = tap.Random() | 1;
    std::memcpy(id->data() + i, &random, sizeof random);
  }
}

}  // namespace

void Observation::Begin(Tap& tap, const http2::HeaderBlock& request) {
  tap_ = &tap;
  propagated_ = false;
  endpoint_.clear();
  const auto caller = ReadTraceParent(request);
  has_parent_ = caller.has_value();
  span_ = caller.value_or(TraceParent());
  parent_ = span_.span;
  traced_ = tap.tracing() && (span_.sampled() || tap.ChooseTraced());
  if (!traced_) return;
  if (!has_parent_) MakeId(tap, &span_.trace);
  MakeId(tap, &span_.span);
  span_.flags |= TraceParent::kSampled;
}

void Observation::Propagate(http2::HeaderBlock* request) {
  if (!traced_ || std::exchange(propagated_, true)) return;
  if (!has_parent_) request->Remove(kTraceState);
  request->Remove(kTraceParent);
  FormatTraceParent(span_, &text_);
  request->AddBorrowed(kTraceParent, {text_.data(), text_.size()},
                       /*indexed=*/false);
}

void Observation::Finish(Call call) {
  call.traced = traced_;
  call.logged = tap_->logging() && (call.failed() || tap_->ChooseLogged());
  if (!call.traced && !call.logged) return;
  call.end_unix_ns = tap_->unix_ns();
  call.endpoint = endpoint_;
  call.has_trace = traced_ || has_parent_;
  call.has_parent = has_parent_;
  call.trace = span_;
  call.parent = parent_;
  tap_->Push(call);
}

}  // namespace bandit::observe
