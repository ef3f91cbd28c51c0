// SPDX-License-Identifier: Apache-2.0
// What a call leaves for its span and its line in the access log.
#include <utility>

#include "router/proxy/exchange.h"
#include "router/proxy/worker_state.h"

namespace bandit::proxy {

void Exchange::Observe(const learning::CallRecord& counted) {
  observe::Call call;
  call.duration_ns = counted.latency_ns;
  if (counted.ttfb_ns > 0) call.ttfb_ns = counted.ttfb_ns;
  call.code = counted.code;
  call.grpc = grpc_;
  call.retries = static_cast<uint32_t>(tries_.repeated());
  call.bytes_in = account_.request_bytes();
  call.bytes_out = counted.response_bytes;
  if (choice_.counted()) {
    const experiment::Decision& decision = choice_.decision();
    call.decided = true;
    call.propensity = decision.propensity;
    call.decision_id = decision.id;
    call.unit = decision.unit;
  }
  if (choice_.drawn()) {
    call.experiment = choice_.experiment().name;
    call.arm = choice_.arm().name;
  }
  if (target_ != nullptr) call.backend = target_->name();
  const std::string peer = client_.session->peer();
  call.peer = peer;
  call.verb = request_.headers.Find(":method");
  call.authority = request_.headers.Find(":authority");
  call.path = request_.headers.Find(":path");
  observation_.Finish(call);
}

}  // namespace bandit::proxy
