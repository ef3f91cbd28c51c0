// SPDX-License-Identifier: Apache-2.0
// Guardrails over seeded runs: how often a healthy arm is found bad, and how
// soon a bad one is, beside a fixed threshold and beside Flagger's rule.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "router/guardrails/evidence.h"
#include "router/guardrails/rule_watch.h"
#include "tests/simulation/draws.h"

namespace bandit::guardrails {
namespace {

using policies::Uniform;
using stats::DrawNormal;

constexpr int kRuns = 2000;
constexpr absl::Duration kTick = absl::Milliseconds(100);
const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

// What one arm answers, request by request.
struct Traffic {
  double error_rate = 0;
  double median_ms = 100;
  double sigma = 0.3;  // Of the logarithm.

  double DrawLatency(Uniform& uniform) const {
    return median_ms * std::exp(sigma * DrawNormal(uniform));
  }
};

// A rule's look, whatever decides it.
class Judge {
 public:
  virtual ~Judge() = default;
  virtual bool Look(const Sums& arm, const Sums& control, absl::Time now) = 0;
};

// The router's own, with either test.
class RuleJudge : public Judge {
 public:
  explicit RuleJudge(Rule rule)
      : rule_(std::move(rule)), watch_(rule_, {}, {}, kStart) {}
  bool Look(const Sums& arm, const Sums& control, absl::Time now) override {
    return watch_.Look(rule_, {}, arm, control, now);
  }

 private:
  Rule rule_;
  RuleWatch watch_;
};

// Flagger's: each `interval` the figure of that interval is checked, and the
// rollout fails once `threshold` checks have failed. No least sample.
class FlaggerJudge : public Judge {
 public:
  explicit FlaggerJudge(Rule rule) : rule_(std::move(rule)) {}
  bool Look(const Sums& arm, const Sums& control, absl::Time now) override {
    if (now - last_ < kInterval) return failed_ >= kThreshold;
    failed_ += IsBeyond(rule_, arm - arm_, control - control_);
    arm_ = arm;
    control_ = control;
    last_ = now;
    return failed_ >= kThreshold;
  }

 private:
  static constexpr absl::Duration kInterval = absl::Minutes(1);
  static constexpr int kThreshold = 5;
  Rule rule_;
  Sums arm_;
  Sums control_;
  absl::Time last_ = kStart;
  int failed_ = 0;
};

void Observe(const Rule& rule, const Traffic& traffic, int requests,
             Uniform& uniform, Sums* sums) {
  stats::LogLinearHistogram latencies;
  for (int i = 0; i < requests; ++i) {
    double value = 0;
    if (rule.metric == "error") {
      value = uniform() < traffic.error_rate ? 1 : 0;
    } else {
      value = traffic.DrawLatency(uniform);
      if (rule.measure == Measure::kQuantile) {
        latencies.Record(static_cast<uint64_t>(value * 1e6));
      } else if (rule.counts_above.has_value()) {
        value = value > *rule.counts_above ? 1 : 0;
      }
    }
    sums->count += 1;
    sums->sum += value;
    sums->squares += value * value;
  }
  if (latencies.count() > 0) sums->histogram.Add(latencies.Cells());
}

// What happens in a run: healthy up to a tick, then sick.
struct Course {
  Traffic healthy;
  Traffic sick;
  int change = 0;  // Tick.
  int ticks = 0;
  int per_tick = 5;  // Requests of each arm.
};

// Anytime-valid, a threshold on the last minute, Flagger.
constexpr int kJudges = 3;
constexpr const char* kNames[kJudges] = {"anytime", "threshold", "flagger"};
using Alarms = std::array<std::optional<int>, kJudges>;

Rule WithThreshold(Rule rule) {
  rule.test = Test::kThreshold;
  return rule;
}

// Ticks from the change to each judge's first alarm on the same traffic.
Alarms Play(const Rule& rule, const Course& course, uint64_t seed) {
  Uniform uniform(seed);
  RuleJudge anytime(rule);
  RuleJudge threshold(WithThreshold(rule));
  FlaggerJudge flagger(rule);
  const std::array<Judge*, kJudges> judges = {&anytime, &threshold, &flagger};
  Sums arm;
  Sums control;
  Alarms alarms;
  for (int t = 1; t <= course.ticks; ++t) {
    Observe(rule, t > course.change ? course.sick : course.healthy,
            course.per_tick, uniform, &arm);
    if (rule.relative()) {
      Observe(rule, course.healthy, course.per_tick, uniform, &control);
    }
    bool done = true;
    for (int j = 0; j < kJudges; ++j) {
      if (alarms[j].has_value()) continue;
      if (judges[j]->Look(arm, control, kStart + t * kTick)) {
        alarms[j] = t - course.change;
      } else {
        done = false;
      }
    }
    if (done) break;
  }
  return alarms;
}

// The share of runs in which each judge found a healthy arm bad.
std::array<double, kJudges> FalseAlarms(const Rule& rule, const Course& course,
                                        int runs) {
  std::array<double, kJudges> shares{};
  for (int run = 0; run < runs; ++run) {
    const Alarms alarms = Play(rule, course, 1000 + run);
    for (int j = 0; j < kJudges; ++j) {
      shares[j] += alarms[j].has_value() ? 1.0 / runs : 0;
    }
  }
  std::printf("%-46s", rule.name.c_str());
  for (const double share : shares) std::printf(" %10.4f", share);
  std::printf("\n");
  return shares;
}

// Seconds from the change to the alarm, of the runs without one before.
struct Delay {
  double median = std::numeric_limits<double>::infinity();
  double p90 = std::numeric_limits<double>::infinity();
  double early = 0;  // Share of runs with an alarm before the change.
};

std::array<Delay, kJudges> Delays(const char* what, const Rule& rule,
                                  const Course& course, int runs) {
  std::array<std::vector<double>, kJudges> seconds;
  std::array<Delay, kJudges> delays;
  for (int run = 0; run < runs; ++run) {
    const Alarms alarms = Play(rule, course, 7000 + run);
    for (int j = 0; j < kJudges; ++j) {
      if (alarms[j].has_value() && *alarms[j] <= 0) {
        delays[j].early += 1.0 / runs;
      } else {
        seconds[j].push_back(alarms[j].has_value()
                                 ? absl::ToDoubleSeconds(*alarms[j] * kTick)
                                 : std::numeric_limits<double>::infinity());
      }
    }
  }
  std::printf("%s, %s\n", what, rule.name.c_str());
  for (int j = 0; j < kJudges; ++j) {
    std::vector<double>& all = seconds[j];
    std::sort(all.begin(), all.end());
    if (!all.empty()) {
      delays[j].median = all[all.size() / 2];
      delays[j].p90 = all[all.size() * 9 / 10];
    }
    std::printf("  %-10s median %7.1f s, p90 %7.1f s, alarms before %6.3f\n",
                kNames[j], delays[j].median, delays[j].p90, delays[j].early);
  }
  return delays;
}

Rule ErrorRule() {
  return {.name = "error below 0.02", .metric = "error", .bound = 0.02};
}

Rule LatencyRule() {
  return {.name = "latency_ms p99 below 250",
          .metric = "latency_ms",
          .bound = 0.01,
          .counts_above = 250.0};
}

Rule LatencyBesideControl() {
  return {.name = "latency_ms p95 below control times 1.2",
          .metric = "latency_ms",
          .measure = Measure::kQuantile,
          .against = Against::kControlTimes,
          .bound = 1.2,
          .quantile = 0.95};
}

Rule ErrorBesideControl() {
  return {.name = "error below control plus 0.02",
          .metric = "error",
          .against = Against::kControlPlus,
          .bound = 0.02};
}

// The p99 of a log-normal is median * exp(2.3263 sigma).
Traffic WithP99(double p99) {
  return {.error_rate = 0, .median_ms = p99 / std::exp(2.3263479 * 0.3)};
}

Traffic WithErrors(double rate) { return {.error_rate = rate}; }

constexpr int kPerMinute = 600;  // Ticks.

// Rules beside the control arm compare two samples a look: ten minutes for
// kRuns.
int RelativeRuns() {
  const char* runs = std::getenv("BANDIT_GUARDRAIL_RUNS");
  return runs == nullptr ? kRuns / 10 : std::max(1, std::atoi(runs));
}

// 50 requests a second to each arm, a look every 100 ms.
TEST(GuardrailSimulation, HealthyArmsAreFoundBadWithinAlpha) {
  std::printf("%-46s %10s %10s %10s\n", "found bad, of healthy runs", kNames[0],
              kNames[1], kNames[2]);
  const auto check = [](const Rule& rule, const Course& course, int runs) {
    const auto shares = FalseAlarms(rule, course, runs);
    EXPECT_LE(shares[0], rule.alpha) << rule.name;
    return shares;
  };
  // At the very bound, the worst that is still healthy.
  const Traffic errors = WithErrors(0.02);
  const auto at_bound =
      check(ErrorRule(), {errors, errors, 0, 3 * kPerMinute}, kRuns);
  // Else the harness could not see the problem.
  EXPECT_GT(at_bound[1], 0.5);
  check(LatencyRule(), {WithP99(250), WithP99(250), 0, 2 * kPerMinute}, kRuns);
  // A/A: both arms are the same, and no margin.
  Rule same_errors = ErrorBesideControl();
  same_errors.name = "error below control plus 0";
  same_errors.bound = 0;
  check(same_errors, {errors, errors, 0, 2 * kPerMinute}, RelativeRuns());
  Rule same_latency = LatencyBesideControl();
  same_latency.name = "latency_ms p95 below control times 1";
  same_latency.bound = 1;
  check(same_latency, {WithP99(250), WithP99(250), 0, 2 * kPerMinute},
        RelativeRuns());
}

TEST(GuardrailSimulation, RegressionsAreFoundSoonAlsoAfterALongTime) {
  constexpr int kFew = 100;
  const auto slow = [](int minutes) {
    return Course{WithP99(200), WithP99(400), minutes * kPerMinute,
                  (minutes + 15) * kPerMinute};
  };
  const auto failing = [](int minutes) {
    return Course{WithErrors(0.01), WithErrors(0.06), minutes * kPerMinute,
                  (minutes + 15) * kPerMinute};
  };
  const auto late =
      Delays("2x latency after 2 min", LatencyRule(), slow(2), kFew);
  EXPECT_LT(late[0].median, 10);
  EXPECT_LT(late[0].p90, late[2].median);
  const auto later =
      Delays("2x latency after 60 min", LatencyRule(), slow(60), kFew);
  EXPECT_LT(later[0].median, 2 * late[0].median);
  const auto errors =
      Delays("errors 1 % to 6 % after 2 min", ErrorRule(), failing(2), kFew);
  EXPECT_LT(errors[0].median, 30);
  EXPECT_LT(errors[0].p90, errors[2].median);
  const auto old_errors =
      Delays("errors 1 % to 6 % after 60 min", ErrorRule(), failing(60), kFew);
  EXPECT_LT(old_errors[0].median, 2 * errors[0].median);
  EXPECT_LE(old_errors[0].early, 0.01);
  const auto beside = Delays("2x latency after 2 min", LatencyBesideControl(),
                             slow(2), kFew / 4);
  EXPECT_LT(beside[0].median, 30);
  const auto errors_beside = Delays("errors 1 % to 6 % after 2 min",
                                    ErrorBesideControl(), failing(2), kFew / 4);
  EXPECT_LT(errors_beside[0].p90, errors_beside[2].median);
}

}  // namespace
}  // namespace bandit::guardrails
