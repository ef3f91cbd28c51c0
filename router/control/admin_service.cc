// SPDX-License-Identifier: Apache-2.0
#include "router/control/admin_service.h"

#include <cmath>

#include "fmt/format.h"
#include "router/control/code_name.h"
#include "router/control/explain.h"
#include "router/control/lifecycle_status.h"
#include "router/control/proto_time.h"

namespace bandit::control {
namespace {

using learning::Outcome;

google::protobuf::Duration QuantileOf(
    const stats::LogLinearHistogram& histogram, double q) {
  return ToProto(absl::Nanoseconds(std::llround(histogram.Quantile(q))));
}

void Summarize(const stats::LogLinearHistogram& histogram,
               v1::LatencySummary* summary) {
  *summary->mutable_p50() = QuantileOf(histogram, 0.50);
  *summary->mutable_p95() = QuantileOf(histogram, 0.95);
  *summary->mutable_p99() = QuantileOf(histogram, 0.99);
}

void AddCalls(const learning::CallCounts& calls, v1::ArmStatus* arm) {
  ForEachCode(calls, [&](const std::string& code, uint64_t count) {
    (*arm->mutable_codes())[code] = count;
  });
  arm->set_in_flight(calls.started - calls.finished);
  Summarize(calls.latency, arm->mutable_latency());
  Summarize(calls.ttfb, arm->mutable_ttfb());
}

void AddState(const guardrails::ArmRecord& record, v1::ArmStatus* arm) {
  arm->set_state(std::string(guardrails::Name(record.state)));
  if (record.since != absl::InfinitePast()) {
    *arm->mutable_state_since() = ToProto(record.since);
  }
  if (record.until != absl::InfinitePast()) {
    *arm->mutable_state_until() = ToProto(record.until);
  }
  if (!record.rule.empty()) {
    arm->set_state_reason(fmt::format("{}: {}", record.rule, record.reason));
  }
}

void AddGuardrails(const learning::ExperimentView& view,
                   v1::ExperimentStatus* status) {
  status->set_held(view.held);
  status->set_rolled_back(view.rolled_back);
  for (const learning::GuardrailView& from : view.guardrails) {
    v1::GuardrailStatus* rule = status->add_guardrails();
    rule->set_arm(from.arm);
    rule->set_rule(from.rule);
    rule->set_action(std::string(guardrails::Name(from.action)));
    rule->set_broken(from.broken);
    rule->set_evidence(from.evidence);
    rule->set_trips(from.trips);
    rule->set_reason(from.reason);
  }
}

void AddOutcomes(const std::array<uint64_t, learning::kOutcomes>& counts,
                 google::protobuf::Map<std::string, uint64_t>* outcomes) {
  for (const Outcome outcome :
       {Outcome::kAccepted, Outcome::kDuplicate, Outcome::kLate,
        Outcome::kUnknown, Outcome::kRejected}) {
    const uint64_t count = counts[learning::Index(outcome)];
    if (count > 0) (*outcomes)[std::string(learning::Name(outcome))] = count;
  }
}

void Describe(const learning::ExperimentView& view,
              const learning::Totals& totals, v1::ExperimentStatus* status) {
  status->set_name(view.name);
  status->set_epoch(view.epoch);
  status->set_policy(view.policy);
  status->set_reward_metric(view.reward_metric);
  status->set_decisions(view.decisions);
  for (const learning::ArmView& from : view.arms) {
    v1::ArmStatus* arm = status->add_arms();
    arm->set_name(from.name);
    arm->set_backend(from.backend);
    arm->set_probability(from.probability);
    arm->set_decisions(from.decisions);
    arm->set_reward_count(from.reward_count);
    arm->set_reward_mean(from.reward_mean);
    arm->set_reward_variance(from.reward_variance);
    const auto calls = totals.calls.find({view.name, from.name});
    if (calls != totals.calls.end()) AddCalls(calls->second, arm);
    AddState(from.guard, arm);
  }
  AddGuardrails(view, status);
  DescribeLife(view.life, status->mutable_lifecycle());
  status->set_alike(view.alike);
  status->set_overlay(view.overlay);
  if (!view.layer.name().empty()) {
    status->set_layer(view.layer.name());
    status->set_layer_from(view.layer.from());
    status->set_layer_to(view.layer.to());
  }
  if (const auto traffic = totals.traffic.find(view.name);
      traffic != totals.traffic.end()) {
    const auto& counts = traffic->second.uncounted_why;
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == 0) continue;
      (*status->mutable_uncounted())[std::string(experiment::kUncounted[i])] =
          counts[i];
    }
  }
  for (const learning::MetricView& from : view.metrics) {
    v1::MetricStatus* metric = status->add_metrics();
    metric->set_name(from.name);
    AddOutcomes(from.outcomes, metric->mutable_outcomes());
  }
}

// Why no worker sends to a backend, as workers judge it by themselves (any
// endpoint that is ready or being connected to will do); empty: one does, or
// none has told yet.
std::string WhyUnavailable(const learning::BackendCounts& counts) {
  constexpr auto& kStates = learning::BackendCounts::kStates;
  std::string why;
  for (size_t i = 0; i < kStates.size(); ++i) {
    if (counts.endpoints[i] <= 0) continue;
    if (kStates[i] == "ready" || kStates[i] == "connecting") return "";
    why += fmt::format("{}{} {}", why.empty() ? "" : ", ", counts.endpoints[i],
                       kStates[i]);
  }
  return why.empty() ? "" : "endpoints by state: " + why;
}

}  // namespace

grpc::ServerUnaryReactor* AdminService::GetStatus(
    grpc::CallbackServerContext* context, const v1::GetStatusRequest* request,
    v1::RouterStatus* response) {
  response->set_version(version_);
  *response->mutable_started() = ToProto(started_);
  response->set_degraded(learner_->degraded());
  const auto view = learner_->view();
  *response->mutable_learned() = ToProto(view->learned);
  learner_->telemetry().Read([&](const learning::Totals& totals) {
    for (const learning::ExperimentView& experiment : view->experiments) {
      if (!request->experiment().empty() &&
          request->experiment() != experiment.name) {
        continue;
      }
      Describe(experiment, totals, response->add_experiments());
    }
    response->set_unmatched(totals.load.unmatched);
    if (const auto stray = totals.rewards.find({"", ""});
        stray != totals.rewards.end()) {
      AddOutcomes(stray->second, response->mutable_stray_rewards());
    }
  });
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (!request->experiment().empty() && response->experiments().empty()) {
    reactor->Finish(grpc::Status(
        grpc::StatusCode::NOT_FOUND,
        fmt::format("no experiment is named {}", request->experiment())));
  } else {
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::Reinstate(
    grpc::CallbackServerContext* context, const v1::ReinstateRequest* request,
    v1::ReinstateResponse*) {
  constexpr size_t kMostReason = 1000;
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (request->reason().size() > kMostReason) {
    reactor->Finish(
        grpc::Status(grpc::StatusCode::INVALID_ARGUMENT,
                     fmt::format("the reason has {} bytes, expected at most {}",
                                 request->reason().size(), kMostReason)));
    return reactor;
  }
  // Blocks for a part of a tick; it comes from people.
  const absl::Status status = learner_->Reinstate(
      request->experiment(),
      request->reason().empty() ? "no reason was given" : request->reason());
  reactor->Finish(
      status.ok() ? grpc::Status::OK
                  : grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                                 std::string(status.message())));
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::GetReport(
    grpc::CallbackServerContext* context, const v1::GetReportRequest* request,
    v1::Report* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reports_.Order(request->experiment(), [reactor, response](
                                            absl::StatusOr<v1::Report> report) {
    const absl::Status& status = report.status();
    if (report.ok()) *response = *report;
    // The codes are the same.
    reactor->Finish(grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                                 std::string(status.message())));
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::Explain(
    grpc::CallbackServerContext* context, const v1::ExplainRequest* request,
    v1::Explanation* response) {
  const auto snapshot = learner_->snapshot();
  std::map<std::string, learning::BackendCounts> backends;
  learner_->telemetry().Read(
      [&](const learning::Totals& totals) { backends = totals.backends; });
  const auto why_down = [&](size_t index) {
    const auto counts = backends.find(snapshot->plan->backends[index].name);
    return counts == backends.end() ? std::string()
                                    : WhyUnavailable(counts->second);
  };
  auto explanation =
      control::Explain(*snapshot, *learner_->view(), *request, why_down);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::Status status = explanation.status();
  if (status.ok()) *response = *std::move(explanation);
  // The codes are the same.
  reactor->Finish(grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                               std::string(status.message())));
  return reactor;
}

}  // namespace bandit::control
