// SPDX-License-Identifier: Apache-2.0
#include "router/learning/guard_record.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "bandit/v1/state.pb.h"

namespace bandit::learning {
namespace {

using guardrails::ArmState;
using guardrails::Detector;
using guardrails::GuardState;
using guardrails::Sums;
using guardrails::WatchRecord;

constexpr ArmState kStates[] = {ArmState::kActive, ArmState::kEjected,
                                ArmState::kProbation};

int64_t ToProto(absl::Time time) {
  return time == absl::InfinitePast() ? std::numeric_limits<int64_t>::min()
                                      : absl::ToUnixNanos(time);
}

absl::Time FromProto(int64_t ns) {
  return ns == std::numeric_limits<int64_t>::min() ? absl::InfinitePast()
                                                   : absl::FromUnixNanos(ns);
}

void ToProto(const Sums& sums, v1::GuardSums* proto) {
  proto->set_count(sums.count);
  proto->set_sum(sums.sum);
  proto->set_squares(sums.squares);
  proto->set_origin(sums.origin);
  const auto& counts = sums.histogram.counts();
  proto->mutable_histogram()->Add(counts.begin(), counts.end());
}

Sums FromProto(const v1::GuardSums& proto) {
  Sums sums{.count = proto.count(),
            .sum = proto.sum(),
            .squares = proto.squares(),
            .origin = proto.origin(),
            .histogram = {}};
  sums.histogram.set_counts(
      {proto.histogram().begin(), proto.histogram().end()});
  return sums;
}

void ToProto(const WatchRecord& watch, v1::GuardWatch* proto) {
  proto->set_rule(watch.rule);
  for (const Detector::Start& test : watch.tests) {
    v1::GuardTest* to = proto->add_tests();
    to->set_number(test.number);
    to->set_time_ns(ToProto(test.time));
    ToProto(test.arm, to->mutable_arm());
    ToProto(test.control, to->mutable_control());
    to->set_log_evidence(test.log_evidence);
  }
  proto->set_started(watch.started);
  proto->set_until_ns(ToProto(watch.until));
  proto->set_in_a_row(watch.in_a_row);
  proto->set_trips(watch.trips);
  proto->set_reason(watch.reason);
}

WatchRecord FromProto(const v1::GuardWatch& proto) {
  WatchRecord watch{.rule = proto.rule(),
                    .tests = {},
                    .started = proto.started(),
                    .until = FromProto(proto.until_ns()),
                    .in_a_row = proto.in_a_row(),
                    .trips = proto.trips(),
                    .reason = proto.reason()};
  for (const v1::GuardTest& test : proto.tests()) {
    watch.tests.push_back({.number = test.number(),
                           .time = FromProto(test.time_ns()),
                           .arm = FromProto(test.arm()),
                           .control = FromProto(test.control()),
                           .log_evidence = test.log_evidence()});
  }
  return watch;
}

std::optional<ArmState> StateNamed(std::string_view name) {
  for (const ArmState state : kStates) {
    if (guardrails::Name(state) == name) return state;
  }
  return std::nullopt;
}

}  // namespace

std::string Encode(const GuardState& state) {
  v1::GuardRecord proto;
  proto.set_rolled_back(state.rolled_back);
  for (const GuardState::Arm& arm : state.arms) {
    v1::GuardArm* to = proto.add_arms();
    to->set_name(arm.name);
    to->set_identity(arm.identity);
    to->set_state(std::string(guardrails::Name(arm.record.state)));
    to->set_since_ns(ToProto(arm.record.since));
    to->set_until_ns(ToProto(arm.record.until));
    to->set_ejections(arm.record.ejections);
    to->set_requests(arm.record.requests);
    to->set_rule(arm.record.rule);
    to->set_reason(arm.record.reason);
    for (const WatchRecord& watch : arm.watches) {
      ToProto(watch, to->add_watches());
    }
  }
  return proto.SerializeAsString();
}

absl::StatusOr<GuardState> DecodeGuard(std::string_view bytes) {
  v1::GuardRecord proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("is no state of guardrails");
  }
  GuardState state{.arms = {}, .rolled_back = proto.rolled_back()};
  for (const v1::GuardArm& from : proto.arms()) {
    const std::optional<ArmState> at = StateNamed(from.state());
    if (!at.has_value()) {
      return absl::DataLossError("has an arm in a state that there is not");
    }
    GuardState::Arm& arm = state.arms.emplace_back();
    arm.name = from.name();
    arm.identity = from.identity();
    arm.record = {.state = *at,
                  .since = FromProto(from.since_ns()),
                  .until = FromProto(from.until_ns()),
                  .ejections = from.ejections(),
                  .requests = from.requests(),
                  .rule = from.rule(),
                  .reason = from.reason()};
    for (const v1::GuardWatch& watch : from.watches()) {
      arm.watches.push_back(FromProto(watch));
    }
  }
  return state;
}

}  // namespace bandit::learning
