// SPDX-License-Identifier: Apache-2.0
#include "router/control/metrics.h"

#include <fstream>
#include <set>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"
#include "router/control/code_name.h"
#include "router/control/guardrail_metrics.h"
#include "router/control/lifecycle_metrics.h"
#include "router/control/observe_metrics.h"
#include "tests/unit/control/control_fixture.h"
#include "tests/unit/tls/test_certificates.h"

namespace bandit::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MetricsTest : public bandit::testing::ControlFixture {
 protected:
  std::string Text() { return ToPrometheusText({metrics_}); }

  // Has one series of every family and label.
  void CountSomething() {
    worker_->Count([&](learning::WorkerStatistics& statistics) {
      for (uint64_t id = 0; id < 3; ++id) {
        statistics.OnDecision(0, MakeOne(id, 1));
        statistics.OnStart(0, 1);
      }
      for (const int64_t latency_ns : {900'000, 1'000'000, 40'000'000}) {
        statistics.OnFinish(0, MakeOne(1, 1),
                            {.code = latency_ns > 1'000'000 ? 503 : 0,
                             .latency_ns = latency_ns,
                             .ttfb_ns = 600'000,
                             .overhead_ns = 20'000,
                             .response_bytes = 10});
      }
      statistics.OnMissingFeature(0, 0);
      statistics.OnBackend("b", {.endpoints = {2, 0, 0, 1, 0},
                                 .connections = 3,
                                 .ejections = 4,
                                 .checks_passed = 5,
                                 .checks_failed = 6,
                                 .circuit_open = 7});
      statistics.OnUnmatchedStart();
      statistics.OnStart(0, 0);
      statistics.OnFallback(0, 0, 1);
      statistics.OnFallback(0, 1, 0);
      statistics.traffic(0).mirror.started = 1;
      statistics.traffic(0).mirror.Add({.code = 0});
    });
    worker_->AwaitTick();
  }

  // With a certificate.
  std::vector<prometheus::MetricFamily> LifecycleFamilies() {
    const bandit::testing::TemporaryFiles files;
    const bandit::testing::Identity identity =
        bandit::testing::MakeIdentity({});
    v1::RouterConfig config;
    config.mutable_tls()->set_certificate(
        files.Write("certificate", identity.certificate_pem));
    config.mutable_tls()->set_key(files.Write("key", identity.key_pem));
    tls::Credentials credentials;
    credentials.Adopt(*credentials.Prepare(config));
    LifecycleMetrics metrics(&credentials, &clock_);
    metrics.OnReload(true);
    metrics.OnReload(false);
    metrics.OnReload(true);
    return metrics.Collect();
  }

  std::vector<prometheus::MetricFamily> AllFamilies() {
    auto families = metrics_->Collect();
    const Webhooks webhooks(/*seed=*/1);
    for (auto& more : {ObserveMetrics(&tally_).Collect(), LifecycleFamilies(),
                       WebhookMetrics(&webhooks).Collect()}) {
      families.insert(families.end(), more.begin(), more.end());
    }
    return families;
  }

  observe::Tally tally_;
  std::shared_ptr<RouterMetrics> metrics_ =
      std::make_shared<RouterMetrics>(learner_.get(), "1.2.3");
};

// Two of three calls in the fixture's traffic fail, which is not enough for a
// verdict; a hundred are.
TEST_F(MetricsTest, SaysWhatGuardrailsFound) {
  StartLearner();
  CountSomething();
  const std::string labels =
      "{experiment=\"ranker\",arm=\"candidate\",rule=\"error below 0.02\"} ";
  EXPECT_THAT(Text(), ::testing::HasSubstr("bandit_guardrail_trips_total" +
                                           labels + "0\n"));
  worker_->Count([&](learning::WorkerStatistics& statistics) {
    for (int i = 0; i < 100; ++i) {
      statistics.OnStart(0, 1);
      statistics.OnFinish(0, MakeOne(1, 1), {.code = 14});
    }
  });
  worker_->AwaitTick();
  worker_->AwaitTick();
  const std::string text = Text();
  for (const std::string& line : {
           "bandit_guardrail_trips_total" + labels + "1\n",
           "bandit_guardrail_broken" + labels + "1\n",
           std::string("bandit_arm_state{experiment=\"ranker\","
                       "arm=\"candidate\",state=\"ejected\"} 1\n"),
           std::string("bandit_arm_state{experiment=\"ranker\","
                       "arm=\"candidate\",state=\"active\"} 0\n"),
           std::string("bandit_experiment_held{experiment=\"ranker\"} 1\n"),
       }) {
    EXPECT_THAT(text, ::testing::HasSubstr(line));
  }
}

TEST_F(MetricsTest, CountsRequestsByExperimentArmAndCode) {
  StartLearner();
  CountSomething();
  const std::string text = Text();
  for (const char* line : {
           "bandit_requests_total{experiment=\"ranker\",arm=\"candidate\","
           "code=\"OK\"} 2\n",
           "bandit_requests_total{experiment=\"ranker\",arm=\"candidate\","
           "code=\"HTTP_503\"} 1\n",
           "bandit_requests_in_flight{experiment=\"\",arm=\"\"} 1\n",
           "bandit_requests_in_flight{experiment=\"ranker\","
           "arm=\"candidate\"} 0\n",
           "bandit_response_bytes_total{experiment=\"ranker\","
           "arm=\"candidate\"} 30\n",
           "bandit_missing_features_total{experiment=\"ranker\","
           "feature=\"f0\"} 1\n",
           "bandit_arm_decisions{experiment=\"ranker\",arm=\"candidate\"} 3\n",
           "bandit_arm_probability{experiment=\"ranker\",arm=\"control\"} "
           "0.5\n",
           "bandit_arm_state{experiment=\"ranker\",arm=\"control\","
           "state=\"active\"} 1\n",
           "bandit_arm_state{experiment=\"ranker\",arm=\"control\","
           "state=\"ejected\"} 0\n",
           "bandit_experiment_epoch{experiment=\"ranker\"} 1\n",
           "bandit_experiment_silent{experiment=\"ranker\"} 0\n",
           "bandit_build_info{version=\"1.2.3\"} 1\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, HistogramsAreCumulativeInSeconds) {
  StartLearner();
  CountSomething();
  const std::string text = Text();
  const std::string of = "{experiment=\"ranker\",arm=\"candidate\"";
  for (const std::string& line : {
           "bandit_request_duration_seconds_count" + of + "} 3\n",
           "bandit_request_duration_seconds_sum" + of + "} 0.0419",
           "bandit_request_duration_seconds_bucket" + of + ",le=\"0.0005\"} 0",
           "bandit_request_duration_seconds_bucket" + of + ",le=\"0.001\"} 2",
           "bandit_request_duration_seconds_bucket" + of + ",le=\"0.05\"} 3",
           "bandit_request_duration_seconds_bucket" + of + ",le=\"+Inf\"} 3",
           "bandit_request_ttfb_seconds_bucket" + of + ",le=\"0.001\"} 3",
           std::string("bandit_router_overhead_seconds_bucket{le=\"1e-05\"} 0"),
           std::string(
               "bandit_router_overhead_seconds_bucket{le=\"2.5e-05\"} 3"),
           std::string("bandit_router_overhead_seconds_count 3"),
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, CountsWhatTheRequestPathDidBesides) {
  StartLearner();
  CountSomething();
  worker_->Count([&](learning::WorkerStatistics& statistics) {
    statistics.OnRetry(0, learning::RetryReason::kRefused);
    statistics.OnRetry(0, learning::RetryReason::kRefused);
    statistics.OnRetry({}, learning::RetryReason::kUnsent);
    statistics.traffic(0).retries_denied = 4;
    statistics.traffic(0).last_resort = 5;
    statistics.traffic(0).mirror_overflow = 6;
    statistics.load().queued = 9;
    statistics.load().dequeued = 2;
    ++statistics.load().rejected[0];
  });
  worker_->AwaitTick();
  const std::string text = Text();
  for (const char* line : {
           "bandit_retries_total{experiment=\"ranker\",reason=\"refused\"} 2\n",
           "bandit_retries_total{experiment=\"ranker\",reason=\"timeout\"} 0\n",
           "bandit_retries_total{experiment=\"\",reason=\"unsent\"} 1\n",
           "bandit_retries_denied_total{experiment=\"ranker\"} 4\n",
           "bandit_last_resort_total{experiment=\"ranker\"} 5\n",
           "bandit_fallbacks_total{experiment=\"ranker\",from=\"control\","
           "to=\"candidate\"} 1\n",
           "bandit_mirror_requests_total{experiment=\"ranker\",code=\"OK\"} "
           "1\n",
           "bandit_mirror_requests_total{experiment=\"ranker\","
           "code=\"overflow\"} 6\n",
           "bandit_mirror_duration_seconds_count{experiment=\"ranker\"} 1\n",
           "bandit_requests_queued 7\n",
           "bandit_requests_rejected_total{reason=\"queue_full\"} 1\n",
           "bandit_requests_rejected_total{reason=\"memory\"} 0\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, EveryRewardOutcomeIsThereFromTheStart) {
  const std::string text = Text();
  for (const char* outcome :
       {"ACCEPTED", "DUPLICATE", "LATE", "UNKNOWN", "REJECTED"}) {
    EXPECT_THAT(text, HasSubstr("bandit_rewards_total{experiment=\"ranker\","
                                "metric=\"click\",outcome=\"" +
                                std::string(outcome) + "\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("bandit_rewards_total{experiment=\"\",metric="
                                "\"\",outcome=\"" +
                                std::string(outcome) + "\"} 0\n"));
  }
}

TEST_F(MetricsTest, TheJoinIsThereAlsoWhereItIsOff) {
  const std::string text = Text();
  for (const char* line : {"bandit_join_entries 0\n", "bandit_join_bytes 0\n",
                           "bandit_join_dropped_total{reason=\"memory\"} 0\n",
                           "bandit_join_dropped_total{reason=\"length\"} 0\n",
                           "bandit_join_unresolved_total 0\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, DegradedAndFailedCommitsShow) {
  EXPECT_THAT(Text(), HasSubstr("bandit_learner_degraded 0\n"));
  faults_->calls_left = 0;
  StartLearner();
  CountSomething();
  EXPECT_THAT(Text(), HasSubstr("bandit_learner_degraded 1\n"));
  EXPECT_THAT(Text(), Not(HasSubstr("commit_failures_total 0\n")));
}

TEST_F(MetricsTest, SpansAndLinesAreCountedByResult) {
  tally_.spans.done.Add(3);
  tally_.spans.dropped.Add(2);
  tally_.lines.failed.Add(1);
  const std::string text =
      ToPrometheusText({std::make_shared<ObserveMetrics>(&tally_)});
  for (const char* line : {
           "bandit_spans_total{result=\"exported\"} 3\n",
           "bandit_spans_total{result=\"dropped\"} 2\n",
           "bandit_spans_total{result=\"failed\"} 0\n",
           "bandit_access_log_lines_total{result=\"written\"} 0\n",
           "bandit_access_log_lines_total{result=\"dropped\"} 0\n",
           "bandit_access_log_lines_total{result=\"failed\"} 1\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, ReloadsAreCounted) {
  clock_.Advance(absl::Seconds(7));
  const std::string text =
      prometheus::TextSerializer().Serialize(LifecycleFamilies());
  for (const char* line : {
           "bandit_config_reloads_total{result=\"ok\"} 2\n",
           "bandit_config_reloads_total{result=\"failed\"} 1\n",
           "bandit_tls_reloads_total{result=\"ok\"} 0\n",
           "bandit_tls_reloads_total{result=\"failed\"} 0\n",
           "bandit_tls_certificate_expiry_seconds{name=\"listen\"} ",
           "bandit_config_last_reload_success_timestamp_seconds ",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST_F(MetricsTest, EveryFamilyHasItsHelp) {
  for (const auto& family : AllFamilies()) {
    EXPECT_GT(family.help.size(), 10u) << family.name;
    EXPECT_THAT(family.name, ::testing::StartsWith("bandit_"));
  }
}

// docs/metrics.md has one row a family: name, type, labels, meaning.
TEST_F(MetricsTest, TheReferenceSaysWhatTheCodeDoes) {
  StartLearner();
  CountSomething();
  std::set<std::string> coded;
  for (const auto& family : AllFamilies()) {
    const char* type = "gauge";
    if (family.type == prometheus::MetricType::Counter) type = "counter";
    if (family.type == prometheus::MetricType::Histogram) type = "histogram";
    std::string labels;
    ASSERT_FALSE(family.metric.empty()) << family.name;
    for (const auto& label : family.metric[0].label) {
      labels += (labels.empty() ? "`" : ", `") + label.name + "`";
    }
    coded.insert("| `" + family.name + "` | " + type + " | " + labels + " | " +
                 family.help + " |");
  }
  std::set<std::string> documented;
  std::ifstream reference(BANDIT_SOURCE_DIR "/docs/metrics.md");
  for (std::string line; std::getline(reference, line);) {
    if (line.starts_with("| `bandit_")) documented.insert(line);
  }
  EXPECT_EQ(documented, coded);
}

}  // namespace
}  // namespace bandit::control
