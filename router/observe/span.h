// SPDX-License-Identifier: Apache-2.0
// A call as a span of OpenTelemetry.
#ifndef BANDIT_ROUTER_OBSERVE_SPAN_H_
#define BANDIT_ROUTER_OBSERVE_SPAN_H_

#include "router/observe/call.h"

namespace opentelemetry::proto::collector::trace::v1 {
class Span;
}  // namespace opentelemetry::proto::collector::trace::v1

namespace bandit::observe {

namespace otlp = opentelemetry::proto::collector::trace::v1;

// Fills an empty span, by the semantic conventions for servers of RPC and HTTP.
// docs/operations.md lists the attributes. REQUIRES: call.traced.
void FillSpan(const Call& call, otlp::Span* span);

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_SPAN_H_
