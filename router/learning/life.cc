// SPDX-License-Identifier: Apache-2.0
#include "router/learning/life.h"

#include <algorithm>
#include <iterator>

#include "bandit/v1/state.pb.h"
#include "fmt/format.h"

namespace bandit::learning {
namespace {

using experiment::Act;
using experiment::State;

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  proto.set_seconds(absl::ToUnixSeconds(time));
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(proto.seconds()))));
  return proto;
}

absl::Time FromProto(const google::protobuf::Timestamp& proto) {
  return absl::FromUnixSeconds(proto.seconds()) +
         absl::Nanoseconds(proto.nanos());
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  const int64_t ns = absl::ToInt64Nanoseconds(duration);
  proto.set_seconds(ns / 1'000'000'000);
  proto.set_nanos(static_cast<int32_t>(ns % 1'000'000'000));
  return proto;
}

absl::Duration FromProto(const google::protobuf::Duration& proto) {
  return absl::Seconds(proto.seconds()) + absl::Nanoseconds(proto.nanos());
}

// The value of a name that Name() gave.
template <typename Value, size_t kSize>
absl::StatusOr<Value> Named(const std::string_view (&names)[kSize],
                            std::string_view name) {
  const auto found = std::find(std::begin(names), std::end(names), name);
  if (found == std::end(names)) {
    return absl::DataLossError(fmt::format("\"{}\" is not known here", name));
  }
  return static_cast<Value>(found - std::begin(names));
}

}  // namespace

std::string EncodeLife(const Life& life) {
  v1::LifecycleRecord record;
  record.set_state(std::string(Name(life.state)));
  record.set_arm(life.arm);
  *record.mutable_changed() = ToProto(life.changed);
  record.set_who(life.who);
  record.set_why(life.why);
  record.set_stage(static_cast<uint32_t>(life.ramp.stage));
  record.set_share(life.share);
  *record.mutable_elapsed() = ToProto(life.ramp.elapsed);
  record.set_ramp_by(life.ramp_by);
  if (life.pending.has_value()) {
    v1::PendingAct* pending = record.mutable_pending();
    pending->set_act(std::string(Name(life.pending->act)));
    pending->set_arm(life.pending->arm);
    pending->set_who(life.pending->who);
    pending->set_why(life.pending->why);
    *pending->mutable_asked() = ToProto(life.pending->asked);
  }
  return record.SerializeAsString();
}

absl::StatusOr<Life> DecodeLife(std::string_view bytes) {
  v1::LifecycleRecord record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("the life cycle's record is damaged");
  }
  const auto state = Named<State>(experiment::kStates, record.state());
  if (!state.ok()) return state.status();
  Life life{
      .state = *state,
      .arm = record.arm(),
      .changed = FromProto(record.changed()),
      .who = record.who(),
      .why = record.why(),
      .ramp = {.stage = record.stage(), .elapsed = FromProto(record.elapsed())},
      .share = record.share(),
      .ramp_by = record.ramp_by(),
      .pending = {}};
  if (record.has_pending()) {
    const auto act = Named<Act>(experiment::kActs, record.pending().act());
    if (!act.ok()) return act.status();
    life.pending = {.act = *act,
                    .arm = record.pending().arm(),
                    .who = record.pending().who(),
                    .why = record.pending().why(),
                    .asked = FromProto(record.pending().asked())};
  }
  return life;
}

}  // namespace bandit::learning
