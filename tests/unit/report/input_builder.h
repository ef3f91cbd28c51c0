// SPDX-License-Identifier: Apache-2.0
// Inputs of reports, decision by decision, as workers and ledger sum them.
#ifndef BANDIT_TESTS_UNIT_REPORT_INPUT_BUILDER_H_
#define BANDIT_TESTS_UNIT_REPORT_INPUT_BUILDER_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "router/report/input.h"

namespace bandit::testing {

// Two arms or more, the first the control, and one metric until others are
// added. Values are about the metric's center.
class InputBuilder {
 public:
  explicit InputBuilder(const std::vector<std::string>& arms, uint64_t seed = 1)
      : random_(seed) {
    input_.experiment = "ranker";
    input_.as_of = absl::FromUnixSeconds(1'700'000'000);
    input_.policy = "fixed_split";
    for (const std::string& name : arms) {
      input_.arms.push_back(
          {.name = name,
           .probability = 1.0 / static_cast<double>(arms.size()),
           .assignment = std::vector<double>(learning::assignment::kSize),
           .latency = std::vector<double>(learning::latency_cells::kSize)});
    }
    AddMetric({.name = "click", .role = "reward", .binary = true, .arms = {}});
  }

  report::Input& input() { return input_; }
  std::mt19937_64& random() { return random_; }

  // Gives its index.
  size_t AddMetric(report::MetricInput metric) {
    metric.arms.assign(input_.arms.size(),
                       std::vector<double>(input_.layout.total_size()));
    input_.metrics.push_back(std::move(metric));
    return input_.metrics.size() - 1;
  }
  // REQUIRES: nothing was counted yet.
  void Segment(experiment::Segment segment) {
    input_.layout.segments.push_back(segment.size());
    input_.segments.push_back(std::move(segment));
    for (report::MetricInput& metric : input_.metrics) {
      metric.arms.assign(input_.arms.size(),
                         std::vector<double>(input_.layout.total_size()));
    }
  }
  size_t AddErrors() {
    return AddMetric({.name = "error",
                      .role = "built-in",
                      .cost = true,
                      .binary = true,
                      .measured = true,
                      .arms = {}});
  }

  // A decision of a unit of its own, drawn from `p`, whatever arm it was.
  experiment::Decision Decide(size_t arm, const std::vector<double>& p) {
    const uint64_t unit = random_();
    return DecideFor(unit, arm, p);
  }
  experiment::Decision DecideFor(uint64_t unit, size_t arm,
                                 const std::vector<double>& p) {
    namespace cells = learning::assignment;
    experiment::Decision decision;
    decision.arm = static_cast<uint32_t>(arm);
    decision.propensity = p[arm];
    decision.unit = unit;
    const size_t cell = learning::UnitBucket(unit) * cells::kCell;
    for (size_t a = 0; a < p.size(); ++a) {
      input_.arms[a].assignment[cell + cells::kExpected] += p[a];
      input_.arms[a].assignment[cells::kVariance] += p[a] * (1 - p[a]);
    }
    input_.arms[arm].assignment[cell + cells::kDrawn] += 1;
    ++input_.arms[arm].decisions;
    return decision;
  }
  // The decision's value of the metric.
  void Reward(const experiment::Decision& decision, double value,
              size_t metric = 0) {
    report::MetricInput& to = input_.metrics[metric];
    const absl::Span<double> total = absl::MakeSpan(to.arms[decision.arm]);
    learning::AddDecision(input_.layout, decision, total);
    learning::AddReward(input_.layout, decision, value - to.center,
                        total.subspan(input_.layout.decision_size()));
  }
  // `n` decisions of the arm at even shares, `successes` of them with value 1.
  void AddRate(size_t arm, int successes, int n, size_t metric = 0) {
    const std::vector<double> p(input_.arms.size(),
                                1 / static_cast<double>(input_.arms.size()));
    for (int i = 0; i < n; ++i) {
      Reward(Decide(arm, p), i < successes ? 1 : 0, metric);
    }
  }

 private:
  report::Input input_;
  std::mt19937_64 random_;
};

}  // namespace bandit::testing

#endif  // BANDIT_TESTS_UNIT_REPORT_INPUT_BUILDER_H_
