// SPDX-License-Identifier: Apache-2.0
// Finds, at whatever look, that an arm breaks a rule; soon also when it was
// well for a long time before.
//
// One test over all that was ever seen would answer a late regression with
// "the mean is still fine". So a new test starts every now and then, each with
// its own share of the level: test k gets w_k = f(k) - f(k + 1) with
// f(k) = 1 / (1 + ln k), which sum to 1. The weighted sum of their e-values is
// at most 1 on average at every stopping time while the rule holds, so the
// chance that it ever reaches 1 / alpha is at most alpha (Ville), over the
// whole life and at every look. The price of a healthy past is ln(1 / w_k),
// which grows like ln k. (A mixture of e-processes over their start: the
// "e-detectors" of Shin, Ramdas and Rinaldo, 2022, with a bound on false alarms
// for good instead of on their average distance.)
//
// A test that holds less than a later one is given up, by Page's (1954)
// argument: the later one saw the same since, and will stay ahead. Giving a
// test up makes the sum smaller, never larger.
#ifndef BANDIT_ROUTER_GUARDRAILS_DETECTOR_H_
#define BANDIT_ROUTER_GUARDRAILS_DETECTOR_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "router/guardrails/rule.h"
#include "router/guardrails/sums.h"

namespace bandit::guardrails {

// Thread-safety: none.   Cost: a look takes LogEvidence's time for each of the
// tests that go on, at most kMostTests; mostly there are two or three.
class Detector {
 public:
  static constexpr size_t kMostTests = 12;
  // A new test starts no sooner than after so many observations and so long.
  static constexpr double kLeastObservations = 50;
  static constexpr absl::Duration kLeastPause = absl::Seconds(1);

  // One test of those that go on.
  struct Start {
    uint64_t number = 1;  // k.
    absl::Time time;
    // What had been observed when it started.
    Sums arm;
    Sums control;
    double log_evidence = 0;  // At the last look.
  };

  // Starts with the observations so far behind it.
  Detector(Sums arm, Sums control, absl::Time now);
  // Goes on with what was kept. REQUIRES: `starts` ascend and are not empty.
  Detector(std::vector<Start> starts, uint64_t started)
      : starts_(std::move(starts)), started_(started) {}

  // ln of the weighted sum of e-values, all that was observed so far given.
  // The rule is broken when it reaches ln(1 / alpha).
  double Look(const Rule& rule, const Sums& arm, const Sums& control,
              absl::Time now);

  // The test that says most.
  const Start& strongest() const;
  const std::vector<Start>& starts() const { return starts_; }
  // Tests started so far, those that were given up included.
  uint64_t started() const { return started_; }

 private:
  void GiveUp();

  std::vector<Start> starts_;  // Ascending.
  uint64_t started_ = 1;
};

// ln w_k.
double LogShare(uint64_t k);

}  // namespace bandit::guardrails

#endif  // BANDIT_ROUTER_GUARDRAILS_DETECTOR_H_
