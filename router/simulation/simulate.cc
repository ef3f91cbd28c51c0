// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/simulate.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "fmt/format.h"
#include "router/config/scalar.h"
#include "stats/moments.h"

namespace bandit::simulation {
namespace {

constexpr double kUsualRate = 100;
constexpr double kWindows = 10;
constexpr double kMostly = 0.9;

// Six significant digits: what differs in the last bits between machines is
// nobody's business.
double Rounded(double value) {
  return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr);
}

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0
             ? 0
             : Rounded(static_cast<double>(part) / static_cast<double>(whole));
}

// Of metrics with a default that are part of the reward; 0 if there are none.
absl::Duration LongestWait(const World& world) {
  absl::Duration longest;
  for (const Part& part : world.parts()) {
    if (part.source != experiment::MetricSource::kFeedback) continue;
    const experiment::Metric& metric = world.experiment().metrics[part.metric];
    if (metric.default_value) longest = std::max(longest, metric.window);
  }
  return longest;
}

// The runs of one policy, added up.
class Summary {
 public:
  void Add(const Trace& trace) {
    const size_t arms = trace.last_arms.size();
    regret_.resize(trace.moments.size());
    sums_.moments.resize(trace.moments.size());
    sums_.last_arms.resize(arms);
    sums_.true_sums.resize(arms);
    estimates_.resize(arms);
    for (size_t m = 0; m < trace.moments.size(); ++m) {
      regret_[m].Add(trace.moments[m].regret);
      sums_.moments[m].best += trace.moments[m].best;
      sums_.moments[m].arms.resize(arms);
      for (size_t a = 0; a < arms; ++a) {
        sums_.moments[m].arms[a] += trace.moments[m].arms[a];
      }
    }
    for (size_t a = 0; a < arms; ++a) {
      sums_.last_arms[a] += trace.last_arms[a];
      sums_.true_sums[a] += trace.true_sums[a];
      if (trace.estimates[a]) estimates_[a].Add(*trace.estimates[a]);
    }
    sums_.last += trace.last;
    sums_.last_best += trace.last_best;
    sums_.accepted += trace.accepted;
    sums_.late += trace.late;
    sums_.lost += trace.lost;
    sums_.pending += trace.pending;
  }

  const std::vector<double>& true_sums() const { return sums_.true_sums; }

  void Tell(const RunOptions& options, v1::SimulatedPolicy* policy) const {
    TellMoments(options, policy);
    policy->set_final_best_share(Ratio(sums_.last_best, sums_.last));
    for (size_t a = 0; a < estimates_.size(); ++a) {
      policy->add_final_shares(Ratio(sums_.last_arms[a], sums_.last));
      policy->add_estimates(Rounded(estimates_[a].mean()));
      policy->add_found(static_cast<uint32_t>(estimates_[a].count));
    }
    v1::SimulatedRewards& rewards = *policy->mutable_rewards();
    rewards.set_accepted(sums_.accepted);
    rewards.set_late(sums_.late);
    rewards.set_lost(sums_.lost);
    rewards.set_pending(sums_.pending);
  }

 private:
  void TellMoments(const RunOptions& options,
                   v1::SimulatedPolicy* policy) const {
    uint64_t all = 0, best = 0, before = 0;
    for (size_t m = 0; m < regret_.size(); ++m) {
      const Trace::Moment& sums = sums_.moments[m];
      const uint64_t until = DecisionsUntil(m, regret_.size(), options.rounds);
      const uint64_t draws = (until - std::exchange(before, until)) *
                             static_cast<uint64_t>(regret_[m].count);
      v1::SimulatedMoment& moment = *policy->add_moments();
      *moment.mutable_time() = config::ToProto(
          absl::Trunc(absl::Seconds(static_cast<double>(until) / options.rate),
                      absl::Milliseconds(1)));
      moment.set_decisions(until);
      moment.set_regret(Rounded(regret_[m].mean()));
      moment.set_regret_standard_error(
          Rounded(std::sqrt(regret_[m].variance() / regret_[m].count)));
      moment.set_best_share(Ratio(sums.best, draws));
      for (const uint64_t arm : sums.arms) {
        moment.add_shares(Ratio(arm, draws));
      }
      if (moment.best_share() >= kMostly && !policy->has_mostly_best_after()) {
        *policy->mutable_mostly_best_after() = moment.time();
      }
      all += draws;
      best += sums.best;
    }
    policy->set_best_share(Ratio(best, all));
  }

  std::vector<stats::Moments> regret_;
  std::vector<stats::Moments> estimates_;
  Trace sums_;
};

void Describe(const Contenders& contenders, const World& world,
              const RunOptions& options, uint32_t runs,
              v1::Simulation* simulation) {
  const experiment::Experiment& experiment = world.experiment();
  const experiment::Metric& reward =
      experiment.metrics[experiment.reward_metric];
  simulation->set_experiment(experiment.name);
  simulation->set_reward_metric(
      reward.source == experiment::MetricSource::kWeighted ? "weights"
                                                           : reward.name);
  for (const experiment::Arm& arm : experiment.arms) {
    simulation->add_arms(arm.name);
  }
  simulation->set_rounds(options.rounds);
  simulation->set_runs(runs);
  simulation->set_seed(options.seed);
  simulation->set_rate(Rounded(options.rate));
  simulation->set_replicas(static_cast<uint32_t>(options.replicas));
  *simulation->mutable_sync() = config::ToProto(options.sync);
  for (const std::string& why : contenders.left_out) {
    simulation->add_left_out(why);
  }
}

void Describe(const Contender& contender, v1::SimulatedPolicy* policy) {
  policy->set_label(contender.label);
  policy->set_policy(contender.policy.name());
  policy->set_configured(contender.configured);
  policy->set_floor(contender.policy.floor());
  // A map's order is not fixed.
  const std::map<std::string, double> params(contender.policy.params().begin(),
                                             contender.policy.params().end());
  for (const auto& [name, value] : params) {
    v1::SimulatedParameter& parameter = *policy->add_params();
    parameter.set_name(name);
    parameter.set_value(value);
  }
}

// What would mislead a reader who does not know it.
void AddNotes(const World& world, const RunOptions& options,
              v1::Simulation* simulation) {
  const absl::Duration wait = LongestWait(world);
  const absl::Duration length = absl::Trunc(
      absl::Seconds(static_cast<double>(options.rounds) / options.rate),
      absl::Seconds(1));
  if (wait > absl::ZeroDuration() && length <= wait) {
    simulation->add_notes(fmt::format(
        "nothing is learned: the reward has a `default`, so a decision counts "
        "when its window of {} is over, and a run lasts {}; take more --rounds "
        "or a lower --rate",
        absl::FormatDuration(wait), absl::FormatDuration(length)));
  }
  const v1::SimulatedRewards& rewards = simulation->policies(0).rewards();
  const uint64_t came = rewards.accepted() + rewards.late();
  if (rewards.late() > 0) {
    simulation->add_notes(fmt::format(
        "{:.3g} % of the rewards come after their window and do not count",
        100.0 * static_cast<double>(rewards.late()) /
            static_cast<double>(came)));
  }
  if (options.replicas > 1 && options.sync == absl::ZeroDuration()) {
    simulation->add_notes("replicas learn each by itself: --sync is 0s");
  }
}

}  // namespace

double RateFor(const World& world, uint64_t rounds) {
  const double wait = absl::ToDoubleSeconds(LongestWait(world));
  if (!(wait > 0)) return kUsualRate;
  return std::min(kUsualRate, static_cast<double>(rounds) / (kWindows * wait));
}

absl::StatusOr<v1::Simulation> Simulate(const Contenders& contenders,
                                        const World& world,
                                        const RunOptions& options,
                                        uint32_t runs,
                                        const OnProgress& on_progress) {
  v1::Simulation simulation;
  Describe(contenders, world, options, runs, &simulation);
  const double all = static_cast<double>(contenders.all.size()) * runs;
  double done = 0;
  for (const Contender& contender : contenders.all) {
    Summary summary;
    for (uint32_t run = 0; run < runs; ++run) {
      auto trace = Run(world, contender.plan, options, run);
      if (!trace.ok()) return trace.status();
      summary.Add(*trace);
      on_progress(contender.label, ++done / all);
    }
    v1::SimulatedPolicy& policy = *simulation.add_policies();
    Describe(contender, &policy);
    summary.Tell(options, &policy);
    if (simulation.true_means_size() > 0) continue;
    const double requests = static_cast<double>(options.rounds) * runs;
    for (const double sum : summary.true_sums()) {
      simulation.add_true_means(Rounded(sum / requests));
    }
  }
  AddNotes(world, options, &simulation);
  return simulation;
}

}  // namespace bandit::simulation
