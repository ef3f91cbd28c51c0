// SPDX-License-Identifier: Apache-2.0
// Guardrails' evidence, looked at again and again: arms that are no worse than
// they may be are hardly ever called so, worse ones are found soon.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "gtest/gtest.h"
#include "stats/bernoulli_sequence.h"
#include "stats/excess.h"
#include "stats/histogram.h"
#include "tests/simulation/draws.h"

namespace bandit::stats {
namespace {

constexpr SequenceOptions kOptions{.alpha = 0.05, .planned = 500};
const double kAlarm = std::log(20);

uint64_t DrawLatency(Uniform& uniform, double slowdown) {
  return static_cast<uint64_t>(slowdown * 1e7 *
                               std::exp(0.5 * DrawNormal(uniform)));
}

// How often a rule ever spoke, and after how many requests.
struct Alarm {
  double share = 0;
  double delay = 0;  // Mean, of those runs that it spoke in.

  // `at` 0: never. To be followed by one Finish.
  void Count(double at) {
    share += at > 0 ? 1 : 0;
    delay += at;
  }
  void Finish(int runs) {
    delay /= std::max(1.0, share);
    share /= runs;
  }
};

// An arm and its control, half of the traffic each, looked at every 100
// requests: when, if ever, each rule calls the arm worse.
struct Alarms {
  Alarm rate;
  Alarm quantile;
};

Alarms Guard(double error_rate, double slowdown, int runs, uint64_t seed) {
  Alarms alarms;
  for (int run = 0; run < runs; ++run) {
    Uniform uniform(seed + run);
    Successes errors[2];
    LogLinearHistogram latency[2];
    double rate_at = 0;
    double quantile_at = 0;
    for (int n = 1; n <= 2500; ++n) {
      const size_t arm = n % 2;
      const double rate = arm == 1 ? error_rate : 0.01;
      errors[arm].trials += 1;
      errors[arm].successes += uniform() < rate ? 1 : 0;
      latency[arm].Record(DrawLatency(uniform, arm == 1 ? slowdown : 1));
      if (n % 100 != 0) continue;
      if (rate_at == 0 &&
          LogRateExcess(errors[1], errors[0], 0, kOptions) >= kAlarm) {
        rate_at = n;
      }
      if (quantile_at == 0 &&
          LogQuantileExcess(latency[1].Cells(), latency[0].Cells(), 0.95, 1,
                            kOptions) >= kAlarm) {
        quantile_at = n;
      }
    }
    alarms.rate.Count(rate_at);
    alarms.quantile.Count(quantile_at);
  }
  alarms.rate.Finish(runs);
  alarms.quantile.Finish(runs);
  return alarms;
}

TEST(ExcessSimulation, AnArmIsCalledWorseThanItsControlWhenItIs) {
  constexpr int kRuns = 200 / kFewer;
  const Alarms same = Guard(0.01, 1, kRuns, 600);
  const Alarms worse = Guard(0.06, 2, kRuns / 4 + 1, 800);
  std::printf(
      "alike: errors %.4f, p95 %.4f; 5 points more errors: found %.2f "
      "after %.0f requests; p95 doubled: found %.2f after %.0f\n",
      same.rate.share, same.quantile.share, worse.rate.share, worse.rate.delay,
      worse.quantile.share, worse.quantile.delay);
  EXPECT_LE(same.rate.share, Limit(0.05, kRuns));
  EXPECT_LE(same.quantile.share, Limit(0.05, kRuns));
  EXPECT_GT(worse.rate.share, 0.98);
  EXPECT_GT(worse.quantile.share, 0.98);
}

// Two arms with exponential values, under whoever gives four fifths of the
// traffic to the arm that looks higher, a bandit that maximizes what the
// guardrail minimizes. A look after each of its ticks.
Alarm GuardMean(double arm_mean, double margin, int runs, uint64_t seed) {
  Alarm alarm;
  for (int run = 0; run < runs; ++run) {
    Uniform uniform(seed + run);
    Moments arms[2];
    double at = 0;
    for (int n = 0; n < 4000 && at == 0;) {
      const double share = arms[1].mean() > arms[0].mean() ? 0.8 : 0.2;
      for (int i = 0; i < 50; ++i, ++n) {
        const bool treated = uniform() < share;
        arms[treated].Add((treated ? arm_mean : 1) * DrawExponential(uniform));
      }
      if (LogMeanExcess(Observed(arms[1]), Observed(arms[0]), margin,
                        kOptions) >= kAlarm) {
        at = n;
      }
    }
    alarm.Count(at);
  }
  alarm.Finish(runs);
  return alarm;
}

TEST(ExcessSimulation, AMeanIsCalledHigherWhenItIsUnderABanditToo) {
  constexpr int kRuns = 2000 / kFewer;
  const Alarm same = GuardMean(1, 0, kRuns, 1000);
  const Alarm within = GuardMean(1.2, 0.2, kRuns, 4000);
  const Alarm higher = GuardMean(1.5, 0, kRuns / 10 + 1, 7000);
  std::printf(
      "means: alike %.4f, at the margin %.4f; half more: found %.2f after "
      "%.0f requests\n",
      same.share, within.share, higher.share, higher.delay);
  EXPECT_LE(same.share, Limit(0.05, kRuns));
  EXPECT_LE(within.share, Limit(0.05, kRuns));
  EXPECT_GT(higher.share, 0.98);
}

// One arm exactly at its limits, then 30 % beyond them, looked at every 50
// requests.
struct LimitAlarms {
  Alarm rate, quantile, rise, fall;

  void Finish(int runs) {
    for (Alarm* alarm : {&rate, &quantile, &rise, &fall}) alarm->Finish(runs);
  }
};

LimitAlarms GuardLimits(double beyond, int runs, uint64_t seed) {
  constexpr double kQuantile = 1.6448536269514722;  // Normal, of 0.95.
  const double slow = 1e7 * std::exp(0.5 * kQuantile);
  const double k = BernoulliConcentration(kOptions.planned, 0.1);
  LimitAlarms alarms;
  for (int run = 0; run < runs; ++run) {
    Uniform uniform(seed + run);
    Successes errors;
    LogLinearHistogram latency;
    Moments high;
    Moments low;
    double at[4] = {};
    for (int n = 1; n <= 4000; ++n) {
      errors.trials += 1;
      errors.successes += uniform() < 0.05 * beyond ? 1 : 0;
      latency.Record(DrawLatency(uniform, beyond));
      high.Add(beyond * DrawExponential(uniform));
      low.Add(DrawExponential(uniform) / beyond);
      if (n % 50 != 0) continue;
      const double evidence[4] = {
          LogBernoulliExcess(errors.successes, errors.trials, 0.05, k),
          LogQuantileAbove(latency.Cells(), 0.95, slow, kOptions),
          LogMeanAbove(Observed(high), 1, kOptions),
          LogMeanAbove(Observed(low.Negated()), -1, kOptions)};
      for (int i = 0; i < 4; ++i) {
        if (at[i] == 0 && evidence[i] >= kAlarm) at[i] = n;
      }
    }
    alarms.rate.Count(at[0]);
    alarms.quantile.Count(at[1]);
    alarms.rise.Count(at[2]);
    alarms.fall.Count(at[3]);
  }
  alarms.Finish(runs);
  return alarms;
}

TEST(ExcessSimulation, AnArmIsCalledBeyondItsLimitsWhenItIs) {
  constexpr int kRuns = 2000 / kFewer;
  const LimitAlarms at = GuardLimits(1, kRuns, 20000);
  const LimitAlarms beyond = GuardLimits(1.3, kRuns / 10 + 1, 30000);
  const auto print = [](const char* name, const Alarm& limit,
                        const Alarm& found) {
    std::printf("%s: at the limit %.4f; beyond: %.2f after %.0f requests\n",
                name, limit.share, found.share, found.delay);
  };
  print("error rate", at.rate, beyond.rate);
  print("p95", at.quantile, beyond.quantile);
  print("mean, rising", at.rise, beyond.rise);
  print("mean, falling", at.fall, beyond.fall);
  EXPECT_LE(at.rate.share, Limit(0.05, kRuns));
  EXPECT_LE(at.quantile.share, Limit(0.05, kRuns));
  EXPECT_LE(at.rise.share, Limit(0.05, kRuns));
  EXPECT_LE(at.fall.share, Limit(0.05, kRuns));
  EXPECT_GT(beyond.rate.share, 0.9);
  EXPECT_GT(beyond.quantile.share, 0.9);
  EXPECT_GT(beyond.rise.share, 0.9);
  EXPECT_GT(beyond.fall.share, 0.9);
}

}  // namespace
}  // namespace bandit::stats
