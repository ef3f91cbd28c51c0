// SPDX-License-Identifier: Apache-2.0
// Where spans are sent.
#ifndef BANDIT_ROUTER_OBSERVE_COLLECTOR_H_
#define BANDIT_ROUTER_OBSERVE_COLLECTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"

namespace opentelemetry::proto::collector::trace::v1 {
class ExportTraceServiceRequest;
}  // namespace opentelemetry::proto::collector::trace::v1

namespace bandit::observe {

namespace otlp = opentelemetry::proto::collector::trace::v1;

// Thread-safety: none; `done` may run on any thread.
class Collector {
 public:
  struct Answer {
    enum class Kind {
      kTaken,
      kTryLater,  // It may take the same spans another time.
      kRefused,   // It will not.
    };
    Kind kind = Kind::kTaken;
    uint64_t rejected = 0;  // Of those taken.
    std::string why;        // Unless all were taken.
  };

  // Ends a call that is under way; its `done` has run when this returns.
  virtual ~Collector() = default;

  // Sends `request`, which stays as it is until `done`. One call at a time.
  virtual void Send(const otlp::ExportTraceServiceRequest& request,
                    absl::Duration timeout,
                    std::function<void(Answer)> done) = 0;
};

// OTLP over gRPC, in cleartext. Connects when there is something to send.
std::unique_ptr<Collector> GrpcCollector(const std::string& address);

}  // namespace bandit::observe

#endif  // BANDIT_ROUTER_OBSERVE_COLLECTOR_H_
