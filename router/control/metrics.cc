// SPDX-License-Identifier: Apache-2.0
#include "router/control/metrics.h"

#include <string_view>
#include <utility>

#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "router/control/code_name.h"
#include "router/control/experiment_metrics.h"
#include "router/control/guardrail_metrics.h"
#include "router/control/metric_family.h"
#include "router/control/traffic_metrics.h"

namespace bandit::control {
namespace {

using learning::Outcome;
using prometheus::MetricFamily;
using prometheus::MetricType;

// Seconds. What the router itself adds is microseconds.
constexpr double kOverheadBounds[] = {0.000005, 0.00001, 0.000025, 0.00005,
                                      0.0001,   0.00025, 0.0005,   0.001,
                                      0.0025,   0.005,   0.01,     0.1};
constexpr double kTickBounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                  0.005,  0.01,    0.025,  0.05,  0.1,
                                  0.25,   0.5,     1,      5};

// Also for the requests that no experiment took.
Labels CallLabels(const std::pair<std::string, std::string>& of) {
  return {{"experiment", of.first}, {"arm", of.second}};
}

void AddCalls(const learning::Totals& totals,
              std::vector<MetricFamily>* families) {
  Family requests("bandit_requests_total", MetricType::Counter,
                  "Requests finished, by gRPC status or HTTP_<status>; no "
                  "experiment: none took the request; no arm: not counted "
                  "into the experiment");
  Family in_flight("bandit_requests_in_flight", MetricType::Gauge,
                   "Requests begun and not finished");
  Family duration("bandit_request_duration_seconds", MetricType::Histogram,
                  "From a request's headers to the end of its response");
  Family ttfb("bandit_request_ttfb_seconds", MetricType::Histogram,
              "From a request's headers to the first byte of its response");
  Family bytes("bandit_response_bytes_total", MetricType::Counter,
               "Bytes of response messages passed on");
  for (const auto& [of, calls] : totals.calls) {
    const Labels labels = CallLabels(of);
    ForEachCode(calls, [&](const std::string& code, uint64_t count) {
      Labels with_code = labels;
      with_code.push_back({"code", code});
      requests.Add(std::move(with_code), static_cast<double>(count));
    });
    in_flight.Add(labels, static_cast<double>(calls.started) -
                              static_cast<double>(calls.finished));
    duration.Add(labels, calls.latency, kDurationBounds);
    ttfb.Add(labels, calls.ttfb, kDurationBounds);
    bytes.Add(labels, static_cast<double>(calls.response_bytes));
  }
  Family overhead("bandit_router_overhead_seconds", MetricType::Histogram,
                  "The router's own time in a request");
  overhead.Add({}, totals.overhead, kOverheadBounds);
  for (Family* family :
       {&requests, &in_flight, &duration, &ttfb, &bytes, &overhead}) {
    families->push_back(std::move(*family).Take());
  }
}

void AddRewards(const learning::Totals& totals,
                std::vector<MetricFamily>* families) {
  Family rewards("bandit_rewards_total", MetricType::Counter,
                 "Rewards received, by outcome; no experiment: a forged token "
                 "or an experiment that is not configured here");
  for (const auto& [of, outcomes] : totals.rewards) {
    for (const Outcome outcome :
         {Outcome::kAccepted, Outcome::kDuplicate, Outcome::kLate,
          Outcome::kUnknown, Outcome::kRejected}) {
      rewards.Add({{"experiment", of.first},
                   {"metric", of.second},
                   {"outcome", std::string(learning::Name(outcome))}},
                  static_cast<double>(outcomes[learning::Index(outcome)]));
    }
  }
  Family missing("bandit_missing_features_total", MetricType::Counter,
                 "Decisions for which a feature was absent or absurd");
  for (const auto& [of, count] : totals.missing_features) {
    missing.Add({{"experiment", of.first}, {"feature", of.second}},
                static_cast<double>(count));
  }
  families->push_back(std::move(rewards).Take());
  families->push_back(std::move(missing).Take());
}

void AddConnections(const learning::ConnectionCounts& counts,
                    std::vector<MetricFamily>* families) {
  Family open("bandit_connections", MetricType::Gauge,
              "Client connections open");
  Family opened("bandit_connections_opened_total", MetricType::Counter,
                "Client connections accepted");
  Family closed("bandit_connections_closed_total", MetricType::Counter,
                "Client connections ended, by reason");
  uint64_t ended = 0;
  for (size_t i = 0; i < counts.closed.size(); ++i) {
    ended += counts.closed[i];
    closed.Add({{"reason", std::string(http2::kCloseReasonNames[i])}},
               static_cast<double>(counts.closed[i]));
  }
  open.Add({}, static_cast<double>(counts.opened - ended));
  opened.Add({}, static_cast<double>(counts.opened));
  for (Family* family : {&open, &opened, &closed}) {
    families->push_back(std::move(*family).Take());
  }
}

void AddJoin(const learning::JoinTotals& join,
             std::vector<MetricFamily>* families) {
  Family entries("bandit_join_entries", MetricType::Gauge,
                 "Request ids that a reward can be joined by");
  entries.Add({}, static_cast<double>(join.entries));
  Family bytes("bandit_join_bytes", MetricType::Gauge,
               "Memory that they and their decisions take");
  bytes.Add({}, static_cast<double>(join.bytes));
  Family dropped("bandit_join_dropped_total", MetricType::Counter,
                 "Request ids not kept: for want of memory, or too long");
  dropped.Add({{"reason", "memory"}}, static_cast<double>(join.dropped));
  dropped.Add({{"reason", "length"}}, static_cast<double>(join.too_long));
  Family unresolved("bandit_join_unresolved_total", MetricType::Counter,
                    "Rewards by request id for which no decision was known");
  unresolved.Add({}, static_cast<double>(join.unresolved));
  for (Family* family : {&entries, &bytes, &dropped, &unresolved}) {
    families->push_back(std::move(*family).Take());
  }
}

void AddBackends(const learning::Totals& totals,
                 std::vector<MetricFamily>* families) {
  Family endpoints("bandit_backend_endpoints", MetricType::Gauge,
                   "Endpoints in the state, as each worker sees them, summed "
                   "over the workers");
  Family connections("bandit_backend_connections", MetricType::Gauge,
                     "Connections, those being made included");
  Family ejections("bandit_backend_ejections_total", MetricType::Counter,
                   "Times that a worker left out an endpoint whose requests "
                   "failed");
  Family checks("bandit_backend_health_checks_total", MetricType::Counter,
                "Active health checks that ended, by result");
  Family circuit("bandit_backend_circuit_open_total", MetricType::Counter,
                 "Tries refused because max_requests were under way");
  for (const auto& [name, counts] : totals.backends) {
    const Labels labels = {{"backend", name}};
    const auto with = [&](const char* key, std::string_view value) {
      Labels more = labels;
      more.push_back({key, std::string(value)});
      return more;
    };
    for (size_t i = 0; i < counts.endpoints.size(); ++i) {
      endpoints.Add(with("state", learning::BackendCounts::kStates[i]),
                    static_cast<double>(counts.endpoints[i]));
    }
    connections.Add(labels, static_cast<double>(counts.connections));
    ejections.Add(labels, static_cast<double>(counts.ejections));
    checks.Add(with("result", "passed"),
               static_cast<double>(counts.checks_passed));
    checks.Add(with("result", "failed"),
               static_cast<double>(counts.checks_failed));
    circuit.Add(labels, static_cast<double>(counts.circuit_open));
  }
  for (Family* family :
       {&endpoints, &connections, &ejections, &checks, &circuit}) {
    families->push_back(std::move(*family).Take());
  }
}

void AddExperiments(const learning::View& view,
                    std::vector<MetricFamily>* families) {
  Family probability("bandit_arm_probability", MetricType::Gauge,
                     "Probability of the arm; with context its share of the "
                     "latest decisions");
  Family state("bandit_arm_state", MetricType::Gauge,
               "1 for the state that the arm is in, 0 for the others");
  Family decisions("bandit_arm_decisions", MetricType::Gauge,
                   "Decisions of the current epoch");
  Family count("bandit_arm_reward_count", MetricType::Gauge,
               "Decisions of the current epoch whose reward counts");
  Family mean("bandit_arm_reward_mean", MetricType::Gauge,
              "Mean of the reward metric over them");
  Family epoch("bandit_experiment_epoch", MetricType::Gauge,
               "The experiment's epoch; a new one forgets what was learned");
  Family silent(
      "bandit_experiment_silent", MetricType::Gauge,
      "1 if decisions have had no reward for learner.silence_warning");
  for (const learning::ExperimentView& experiment : view.experiments) {
    const Labels labels = {{"experiment", experiment.name}};
    for (const learning::ArmView& arm : experiment.arms) {
      const Labels arm_labels = CallLabels({experiment.name, arm.name});
      probability.Add(arm_labels, arm.probability);
      for (const char* name : {"active", "ejected", "probation"}) {
        Labels with_state = arm_labels;
        with_state.push_back({"state", name});
        state.Add(std::move(with_state),
                  name == guardrails::Name(arm.guard.state));
      }
      decisions.Add(arm_labels, static_cast<double>(arm.decisions));
      count.Add(arm_labels, arm.reward_count);
      mean.Add(arm_labels, arm.reward_mean);
    }
    epoch.Add(labels, experiment.epoch);
    silent.Add(labels, experiment.silent);
  }
  for (Family* family :
       {&probability, &state, &decisions, &count, &mean, &epoch, &silent}) {
    families->push_back(std::move(*family).Take());
  }
}

void AddLearner(const learning::Learner& learner, const learning::View& view,
                const learning::Totals& totals,
                std::vector<MetricFamily>* families) {
  const auto add = [&](const char* name, MetricType type, const char* help,
                       double value) {
    Family family(name, type, help);
    family.Add({}, value);
    families->push_back(std::move(family).Take());
  };
  add("bandit_learner_degraded", MetricType::Gauge,
      "1 if the learning side is degraded; GetStatus says why",
      !learner.degraded().empty());
  add("bandit_learner_last_tick_timestamp_seconds", MetricType::Gauge,
      "When the learner's last tick ended, Unix time",
      absl::ToDoubleSeconds(view.learned - absl::UnixEpoch()));
  add("bandit_learner_queue_length", MetricType::Gauge,
      "Rewards that wait for their transaction",
      static_cast<double>(learner.queue_length()));
  add("bandit_learner_commit_failures_total", MetricType::Counter,
      "Transactions of learned state that failed",
      static_cast<double>(totals.failed_commits));
  Family tick("bandit_learner_tick_seconds", MetricType::Histogram,
              "Time that the learner worked at the end of a tick");
  tick.Add({}, totals.ticks, kTickBounds);
  Family commit("bandit_learner_commit_seconds", MetricType::Histogram,
                "Time that a transaction of learned state took");
  commit.Add({}, totals.commits, kTickBounds);
  families->push_back(std::move(tick).Take());
  families->push_back(std::move(commit).Take());
}

}  // namespace

std::vector<MetricFamily> RouterMetrics::Collect() const {
  std::vector<MetricFamily> families;
  const auto view = learner_->view();
  learner_->telemetry().Read([&](const learning::Totals& totals) {
    AddCalls(totals, &families);
    AddRewards(totals, &families);
    AddConnections(totals.connections, &families);
    AddJoin(totals.join, &families);
    AddBackends(totals, &families);
    AddTraffic(totals, &families);
    AddUncounted(totals, &families);
    AddLearner(*learner_, *view, totals, &families);
  });
  AddExperiments(*view, &families);
  AddGuardrails(*view, &families);
  AddLifecycles(*view, &families);
  Family build("bandit_build_info", MetricType::Gauge,
               "Always 1; the label is the router's version");
  build.Add({{"version", version_}}, 1);
  families.push_back(std::move(build).Take());
  return families;
}

std::string ToPrometheusText(
    const std::vector<std::shared_ptr<const prometheus::Collectable>>& from) {
  std::vector<MetricFamily> families;
  for (const auto& collectable : from) {
    std::vector<MetricFamily> more = collectable->Collect();
    families.insert(families.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace bandit::control
