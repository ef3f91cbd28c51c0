// SPDX-License-Identifier: Apache-2.0
#include "router/guardrails/rule_watch.h"

#include <cmath>
#include <utility>

#include "fmt/format.h"
#include "router/guardrails/arm_life.h"
#include "router/guardrails/evidence.h"

namespace bandit::guardrails {

std::string KeyOf(const Rule& rule) {
  const auto number = [](const std::optional<double>& value) {
    return value.has_value() ? fmt::format("{}", *value) : std::string("-");
  };
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {}", rule.metric,
                     static_cast<int>(rule.measure),
                     static_cast<int>(rule.against),
                     rule.above ? "above" : "below", rule.bound, rule.quantile,
                     number(rule.counts_above), number(rule.min),
                     number(rule.max), static_cast<int>(rule.test), rule.alpha,
                     rule.min_samples, absl::FormatDuration(rule.window));
}

RuleWatch::RuleWatch(const Rule& rule, const Sums& arm, const Sums& control,
                     absl::Time now) {
  Restart(rule, arm, control, now);
}

RuleWatch::RuleWatch(const Rule& rule, const WatchRecord& record,
                     const Sums& arm, const Sums& control, absl::Time now)
    : until_(record.until),
      in_a_row_(record.in_a_row),
      trips_(record.trips),
      reason_(record.reason) {
  if (record.tests.empty() || rule.test != Test::kAnytime) {
    Restart(rule, arm, control, now);
    return;
  }
  std::vector<Detector::Start> tests = record.tests;
  for (Detector::Start& test : tests) {
    test.arm = arm - test.arm;
    test.control = control - test.control;
  }
  detector_.emplace(std::move(tests), record.started);
}

void RuleWatch::Restart(const Rule& rule, const Sums& arm, const Sums& control,
                        absl::Time now) {
  if (rule.test == Test::kAnytime) {
    detector_.emplace(arm, control, now);
  } else {
    window_.emplace(arm, control, now);
  }
  log_evidence_ = 0;
}

bool RuleWatch::Look(const Rule& rule, const Probation& probation,
                     const Sums& arm, const Sums& control, absl::Time now) {
  if (arm.count == looked_at_) return false;
  if (rule.relative() && now - looked_ < kRelativePause) return false;
  looked_ = now;
  looked_at_ = arm.count;
  if (!broken(now)) in_a_row_ = 0;
  if (!Judge(rule, arm, control, now)) return false;
  until_ = now + BackOff(probation, in_a_row_);
  ++in_a_row_;
  ++trips_;
  Restart(rule, arm, control, now);
  return true;
}

bool RuleWatch::Judge(const Rule& rule, const Sums& arm, const Sums& control,
                      absl::Time now) {
  if (window_.has_value()) {
    if (!window_->Look(rule, arm, control, now)) return false;
    reason_ =
        Describe(rule, arm - window_->arm(), control - window_->control());
    return true;
  }
  log_evidence_ = detector_->Look(rule, arm, control, now);
  if (log_evidence_ < -std::log(rule.alpha)) return false;
  const Detector::Start& strongest = detector_->strongest();
  reason_ = fmt::format(
      "{} in {} (evidence e^{:.1f}, e^{:.1f} needed)",
      Describe(rule, arm - strongest.arm, control - strongest.control),
      absl::FormatDuration(
          absl::Trunc(now - strongest.time, absl::Milliseconds(100))),
      log_evidence_, -std::log(rule.alpha));
  return true;
}

WatchRecord RuleWatch::Record(const Rule& rule, const Sums& arm,
                              const Sums& control) const {
  WatchRecord record{.rule = KeyOf(rule),
                     .tests = {},
                     .started = 0,
                     .until = until_,
                     .in_a_row = in_a_row_,
                     .trips = trips_,
                     .reason = reason_};
  if (detector_.has_value()) {
    record.started = detector_->started();
    record.tests = detector_->starts();
    for (Detector::Start& test : record.tests) {
      test.arm = arm - test.arm;
      test.control = control - test.control;
    }
  }
  return record;
}

}  // namespace bandit::guardrails
