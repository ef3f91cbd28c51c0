// SPDX-License-Identifier: Apache-2.0
#include "router/learning/settlement.h"

#include <iterator>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "fmt/format.h"

namespace bandit::learning {

std::vector<Reward> Gather(absl::Span<RewardBatch> batches,
                           std::vector<size_t>* ends) {
  std::vector<Reward> rewards;
  size_t size = 0;
  for (const RewardBatch& batch : batches) size += batch.rewards.size();
  rewards.reserve(size);
  for (RewardBatch& batch : batches) {
    rewards.insert(rewards.end(),
                   std::make_move_iterator(batch.rewards.begin()),
                   std::make_move_iterator(batch.rewards.end()));
    ends->push_back(rewards.size());
  }
  return rewards;
}

void Answer(absl::Span<RewardBatch> batches, absl::Span<const size_t> ends,
            const absl::StatusOr<std::vector<Verdict>>& verdicts,
            absl::FunctionRef<std::string(size_t)> why) {
  if (!verdicts.ok()) {
    const absl::Status refused = absl::UnavailableError(
        fmt::format("nothing of this batch was taken, send it again later: {}",
                    std::string(verdicts.status().message())));
    for (RewardBatch& batch : batches) batch.done(refused);
    return;
  }
  size_t next = 0;
  for (size_t b = 0; b < batches.size(); ++b) {
    const size_t first = next;
    Settled settled;
    settled.outcomes.reserve(ends[b] - first);
    for (; next < ends[b]; ++next) {
      const Outcome outcome = (*verdicts)[next].outcome;
      settled.outcomes.push_back(outcome);
      if (IsRefusal(outcome) && settled.refusals.size() < kMostRefusals) {
        settled.refusals.push_back({next - first, why(next)});
      }
    }
    batches[b].done(std::move(settled));
  }
}

void CountVerdicts(absl::Span<const Verdict> verdicts,
                   const experiment::Plan& plan, Telemetry* telemetry,
                   SilenceMonitor* silence) {
  absl::flat_hash_map<
      std::tuple<std::optional<size_t>, std::optional<size_t>, Outcome>,
      uint64_t>
      counts;
  for (const Verdict& verdict : verdicts) {
    ++counts[{verdict.experiment, verdict.metric, verdict.outcome}];
  }
  std::vector<std::string> heard;
  for (const auto& [key, times] : counts) {
    const auto& [e, m, outcome] = key;
    if (!e) {
      telemetry->CountReward("", "", outcome, times);
      continue;
    }
    const experiment::Experiment& experiment = plan.experiments[*e];
    telemetry->CountReward(
        experiment.name, m ? experiment.metrics[*m].name : "", outcome, times);
    if (m && *m != experiment.reward_metric) continue;
    if (outcome == Outcome::kAccepted) {
      heard.push_back(experiment.name);
    } else {
      silence->OnReward(experiment.name, outcome, times);
    }
  }
  for (const std::string& name : heard) {
    silence->OnReward(name, Outcome::kAccepted, 1);
  }
}

}  // namespace bandit::learning
