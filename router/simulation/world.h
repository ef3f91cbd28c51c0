// SPDX-License-Identifier: Apache-2.0
// A described world, compiled for one experiment: what each arm really gives,
// who asks, and what becomes of rewards on their way.
#ifndef BANDIT_ROUTER_SIMULATION_WORLD_H_
#define BANDIT_ROUTER_SIMULATION_WORLD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "bandit/v1/world.pb.h"
#include "router/config/environment.h"
#include "router/experiment/plan.h"
#include "router/simulation/value_model.h"

namespace bandit::simulation {

// Reads `text`; errors speak of `file_name`.
// Fails with InvalidArgument, all errors in the order of their lines, each one
// line `file:line: what is wrong, what was expected`: not only what no world
// can be, but also what is none for this experiment.
absl::StatusOr<v1::World> ReadWorld(std::string_view text,
                                    std::string_view file_name,
                                    const config::Environment& env,
                                    const experiment::Experiment& experiment);

// What of the experiment's reward this metric makes up.
struct Part {
  experiment::MetricSource source = experiment::MetricSource::kFeedback;
  size_t metric = 0;  // Index into Experiment::metrics, if it is fed back.
  double weight = 1;
};
// One of weight 1, or those of a weighted reward.
std::vector<Part> PartsOf(const experiment::Experiment& experiment);

class World {
 public:
  struct Arm {
    // By the experiment's metrics; those that are not of the reward have none.
    std::vector<std::optional<ValueModel>> values;
    TimeModel latency;
    double error = 0;
    uint64_t response_bytes = 0;
  };

  // Ownership: borrows `experiment`.
  // REQUIRES: `described` passed ReadWorld for it.
  World(const v1::World& described, const experiment::Experiment& experiment);

  const experiment::Experiment& experiment() const { return *experiment_; }
  const std::vector<Part>& parts() const { return parts_; }
  const std::vector<Arm>& arms() const { return arms_; }
  const v1::World& described() const { return described_; }
  // Of rewards, after the response.
  const TimeModel& delay() const { return delay_; }
  double lost() const { return described_.lost(); }

  // Expected value of the reward metric at each arm: what a request with
  // columns `x` gets. A failed one has the metric's default, if there is one.
  // Rewards that are lost or late do not make it less.
  void Values(double seconds, absl::Span<const float> x,
              absl::Span<double> values) const;
  // What of it is better: -1 for what the router measures by itself.
  double sign() const { return sign_; }
  // Values are the same for all requests at all times.
  bool constant() const { return constant_; }
  // Values depend on the features.
  bool contextual() const { return contextual_; }

 private:
  double PartValue(const Part& part, size_t arm, double seconds,
                   absl::Span<const float> x) const;

  const experiment::Experiment* experiment_;
  v1::World described_;
  std::vector<Part> parts_;
  std::vector<Arm> arms_;
  TimeModel delay_;
  double sign_ = 1;
  bool constant_ = true;
  bool contextual_ = false;
};

}  // namespace bandit::simulation

#endif  // BANDIT_ROUTER_SIMULATION_WORLD_H_
