// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/environment.h"

#include <algorithm>
#include <deque>

namespace bandit::policies {

double Environment::best() const {
  return *std::max_element(means.begin(), means.end());
}

Trace Simulate(const Policy& policy, const Environment& environment,
               const Schedule& schedule, absl::Span<const int64_t> times,
               uint64_t seed) {
  Uniform uniform(seed);
  Trace trace;
  ArmSums sums(environment.arms());
  // The rewards of one tick, not yet known.
  using Tick = std::vector<std::pair<size_t, double>>;
  std::deque<Tick> pending;
  std::vector<double> p(environment.arms());
  double regret = 0;
  int64_t late = 0;
  int64_t late_best = 0;
  int64_t t = 0;
  size_t next = 0;
  while (t < schedule.horizon) {
    const std::vector<ArmStatistics> view = sums.view();
    policy.Prepare({.arms = view, .previous = nullptr, .fresh = {}})
        .value()
        ->Probabilities({}, AllArms(p.size()), absl::MakeSpan(p));
    const int64_t end = std::min(schedule.horizon, t + schedule.tick(t));
    Tick tick;
    for (; t < end; ++t) {
      while (next < times.size() && times[next] == t) {
        trace.regret.push_back(regret);
        ++next;
      }
      const size_t arm = DrawArm(p, uniform());
      const double mean = environment.means[arm];
      regret += environment.best() - mean;
      tick.emplace_back(arm, uniform() < mean ? 1 : 0);
      if (t >= schedule.horizon - schedule.horizon / 10) {
        ++late;
        late_best += mean == environment.best();
      }
    }
    pending.push_back(std::move(tick));
    if (pending.size() > static_cast<size_t>(schedule.delay)) {
      for (const auto& [arm, reward] : pending.front()) {
        sums.Observe(arm, reward);
      }
      pending.pop_front();
    }
  }
  while (next++ < times.size()) trace.regret.push_back(regret);
  trace.final_best_share =
      static_cast<double>(late_best) / static_cast<double>(late);
  return trace;
}

}  // namespace bandit::policies
