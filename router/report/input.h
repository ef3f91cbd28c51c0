// SPDX-License-Identifier: Apache-2.0
// All that a report is made from: one experiment's sums, copied.
//
// Of a fixed size, however many decisions it speaks of, so that the learner's
// thread is done with it in microseconds.
#ifndef BANDIT_ROUTER_REPORT_INPUT_H_
#define BANDIT_ROUTER_REPORT_INPUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "router/learning/ledger.h"
#include "router/learning/measures.h"
#include "router/learning/view.h"

namespace bandit::report {

struct MetricInput {
  std::string name;
  std::string role;
  bool cost = false;  // Smaller is better.
  bool binary = false;
  bool measured = false;  // By the router itself.
  // Its cells alone can be read, not what follows them: a weighted sum.
  bool cells_only = false;
  // What sums are about.
  double center = 0;
  // A total of MeasureLayout for each arm.
  std::vector<std::vector<double>> arms;
};

struct ArmInput {
  std::string name;
  uint64_t decisions = 0;
  double probability = 0;
  std::vector<double> assignment;  // See learning::assignment.
  std::vector<double> latency;     // See learning::latency_cells.
  std::string state = "active";    // By the guardrails,
  std::string state_reason;        // and why.
};

struct Input {
  std::string experiment;
  uint32_t epoch = 1;
  absl::Time as_of;
  std::string policy;
  bool contextual = false;  // The policy looks at the context.
  bool learns = false;      // The policy moves the arms' shares.
  std::string unit;         // Metadata key; empty: every request is its own.
  size_t control = 0;
  double alpha = 0.05;
  double planned = 10'000;
  learning::MeasureLayout layout;
  std::vector<experiment::Segment> segments;
  bool covariate = false;         // There is one.
  std::string state = "running";  // Of the life cycle.
  std::string rolled_back;        // By guardrails: why; empty: not.
  std::vector<learning::GuardrailView> guardrails;
  std::vector<ArmInput> arms;
  // The reward metric, the other declared ones, the built-in ones.
  std::vector<MetricInput> metrics;

  size_t bytes() const;
};

// REQUIRES: `view` is of the ledger's experiment `e`.
Input TakeInput(const learning::Ledger& ledger, size_t e,
                const learning::ExperimentView& view, absl::Time now);

}  // namespace bandit::report

#endif  // BANDIT_ROUTER_REPORT_INPUT_H_
