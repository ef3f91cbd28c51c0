// SPDX-License-Identifier: Apache-2.0
// Times as protobuf has them.
#ifndef BANDIT_ROUTER_CONTROL_PROTO_TIME_H_
#define BANDIT_ROUTER_CONTROL_PROTO_TIME_H_

#include <cstdint>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace bandit::control {

inline google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return proto;
}

inline google::protobuf::Duration ToProto(absl::Duration duration) {
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  const int64_t ns = absl::ToInt64Nanoseconds(duration);
  google::protobuf::Duration proto;
  proto.set_seconds(ns / kNsPerSecond);
  proto.set_nanos(static_cast<int32_t>(ns % kNsPerSecond));
  return proto;
}

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_PROTO_TIME_H_
