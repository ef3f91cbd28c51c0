// SPDX-License-Identifier: Apache-2.0
// What a metric's values are at one arm, for a request with these features at
// this time; and how long things take.
#ifndef BANDIT_ROUTER_SIMULATION_VALUE_MODEL_H_
#define BANDIT_ROUTER_SIMULATION_VALUE_MODEL_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "bandit/v1/world.pb.h"
#include "router/experiment/plan.h"
#include "router/simulation/random.h"

namespace bandit::simulation {

// The values of a fed-back metric. Times are seconds since the beginning, `x`
// the columns of the features; empty without context.
// Thread-safety: const calls may overlap.
class ValueModel {
 public:
  // `columns` as FeatureEncoder::ColumnNames.
  // REQUIRES: `described` passed ReadWorld for the metric and the columns.
  ValueModel(const v1::WorldMetric& described, const experiment::Metric& metric,
             absl::Span<const std::string> columns);

  // The expected value, of what Draw gives.
  double Mean(double seconds, absl::Span<const float> x) const;
  // Advances by one for a binary metric, by two for another.
  double Draw(double seconds, absl::Span<const float> x, Random& random) const;

  // Its mean is the same for all requests at all times.
  bool constant() const { return changes_.empty() && effects_.empty(); }
  bool contextual() const { return !effects_.empty(); }

 private:
  struct Change {
    double from, to;  // Seconds.
    double mean;
  };

  double MeanWithoutEffects(double seconds) const;
  // Before anything is cut off.
  double Center(double seconds, absl::Span<const float> x) const;

  bool binary_;
  bool logistic_;
  double mean_;
  double sd_;
  double min_, max_;  // Infinite: none.
  std::vector<Change> changes_;
  std::vector<std::pair<size_t, double>> effects_;  // By column.
};

// A lognormal time, in seconds.
class TimeModel {
 public:
  // Always 0.
  TimeModel() = default;
  explicit TimeModel(const v1::WorldTime& described);

  double Mean() const;
  // Advances by two.
  double Draw(Random& random) const;

 private:
  double median_ = 0;
  double sigma_ = 0;  // Of the logarithm.
};

// E max(low, min(high, X)) for a normal X.
double MeanOfCutNormal(double mean, double sd, double low, double high);

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_VALUE_MODEL_H_
