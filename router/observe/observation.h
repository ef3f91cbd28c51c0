// SPDX-License-Identifier: Apache-2.0
// What is kept of one call until it ends, for its span and its line in the
// access log.
#ifndef BANDIT_ROUTER_OBSERVE_OBSERVATION_H_
#define BANDIT_ROUTER_OBSERVE_OBSERVATION_H_

#include <string>
#include <string_view>

#include "router/http2/header_block.h"
#include "router/observe/call.h"
#include "router/observe/tap.h"
#include "router/observe/trace_context.h"

namespace bandit::observe {

// Thread-safety: none.
class Observation {
 public:
  // A call begins: reads its traceparent and decides whether it is traced. A
  // caller's sampled flag is obeyed; else chance decides. A traceparent that is
  // malformed, or one of several, is as none.
  // Ownership: borrows the tap until Reset. REQUIRES: tap.on().
  void Begin(Tap& tap, const http2::HeaderBlock& request);

  // Whether it has begun; nothing else may be called if not.
  bool on() const { return tap_ != nullptr; }

  // Of a call that is traced: makes the router's span the parent that the
  // backend sees. A tracestate goes on unless its traceparent was unusable.
  // Does nothing the second time.
  // Ownership: the request's fields borrow this object.
  void Propagate(http2::HeaderBlock* request);

  // The request was sent to this endpoint; empty: it was sent nowhere.
  void OnTry(std::string_view endpoint) { endpoint_ = endpoint; }

  // The call has ended: hands it in, if it is wanted. Fills in what it knows:
  // end, endpoint, trace.
  void Finish(Call call);

  void Reset() { tap_ = nullptr; }

 private:
  Tap* tap_ = nullptr;
  bool traced_ = false;
  bool has_parent_ = false;
  bool propagated_ = false;
  SpanId parent_{};
  TraceParent span_;  // If not traced: the caller's.
  TraceParentText text_;
  std::string endpoint_;
};

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_OBSERVATION_H_
