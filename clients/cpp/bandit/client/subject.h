// SPDX-License-Identifier: Apache-2.0
// Whom a request is for: its unit, and the features known of it.
#ifndef BANDIT_CLIENT_SUBJECT_H_
#define BANDIT_CLIENT_SUBJECT_H_

#include <grpcpp/client_context.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace bandit::client {

// The key that configs of this project use for the unit: `unit: {metadata:
// x-bandit-unit}`.
inline constexpr std::string_view kUnitKey = "x-bandit-unit";

// Metadata that a request takes along. gRPC aborts the process on keys and
// values that it cannot send, so they are checked here: what does not fit is
// left out, and status() says what and why; the request goes without it. A unit
// that is left out makes the request its own unit.
//
//   Subject().Unit("user-7").Feature("x-device", "ios").Feature("x-age", 31)
//
// Thread-safety: const calls may overlap.
class Subject {
 public:
  // `key` is the one of the experiment's `unit.metadata`. Empty: no unit.
  Subject& Unit(std::string_view value, std::string_view key = kUnitKey);

  // `key` is the feature's `metadata`; letters are sent in lower case.
  Subject& Feature(std::string_view key, std::string_view value);
  // Written so that the router reads the same number; finite.
  Subject& Feature(std::string_view key, double value);

  // OK, or InvalidArgument of the first that was left out.
  const absl::Status& status() const { return status_; }

  const std::vector<std::pair<std::string, std::string>>& metadata() const {
    return metadata_;
  }

  // For calls without the interceptor. Before the call begins.
  void AddTo(grpc::ClientContext* context) const;

 private:
  void Add(std::string_view key, std::string_view value);

  std::vector<std::pair<std::string, std::string>> metadata_;
  absl::Status status_;
};

}  // namespace bandit::client

#endif  // BANDIT_CLIENT_SUBJECT_H_
