// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/replica.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "router/simulation/world.h"

namespace bandit::simulation {

using experiment::MetricSource;
using learning::Ledger;
using learning::Outcome;
using learning::Verdict;

Replica::Replica(const std::shared_ptr<const experiment::Plan>& plan,
                 bool exchanges, uint64_t seed)
    : plan_(plan),
      measures_(absl::c_any_of(PartsOf(plan->experiments[0]),
                               [](const Part& part) {
                                 return experiment::IsMeasured(part.source);
                               })),
      statistics_(plan),
      own_(plan),
      pooled_(exchanges ? std::make_unique<Ledger>(plan) : nullptr),
      random_(seed) {}

absl::StatusOr<std::unique_ptr<Replica>> Replica::Start(
    const std::shared_ptr<const experiment::Plan>& plan, bool exchanges,
    double center, uint64_t seed) {
  auto trainer = learning::Trainer::Start(plan);
  if (!trainer.ok()) return trainer.status();
  auto replica = std::unique_ptr<Replica>(new Replica(plan, exchanges, seed));
  replica->trainer_ = *std::move(trainer);
  replica->FixCenters(center, &replica->own_);
  return replica;
}

void Replica::FixCenters(double center, Ledger* ledger) const {
  for (const Part& part : PartsOf(plan_->experiments[0])) {
    if (part.source != MetricSource::kFeedback) continue;
    const experiment::Metric& metric =
        plan_->experiments[0].metrics[part.metric];
    if (metric.kind == policies::RewardKind::kBinary ||
        metric.default_value.has_value()) {
      continue;
    }
    // A row of nothing that has its constant. It always fits.
    ledger
        ->Restore(0, {.metric = metric.name},
                  {.center = center, .outcomes = {}, .arms = {}})
        .IgnoreError();
  }
}

Outcome Replica::Take(const learning::Reward& reward, absl::Time now) {
  const Verdict verdict = own_.Judge(reward, now);
  if (verdict.outcome == Outcome::kAccepted) {
    own_.Credit(reward, verdict);
  } else {
    own_.CountOutcome(verdict, verdict.outcome);
  }
  return verdict.outcome;
}

void Replica::Settle(absl::Time now) {
  own_.Commit();
  const std::unique_ptr<learning::WorkerDelta> delta = statistics_.Take();
  const learning::ExperimentDelta& counted = delta->experiments[0];
  own_.CountDecisions(0, counted.slices);
  if (measures_) own_.AddMeasures(0, counted);
  if (!counted.builtin_reward.empty()) {
    own_.AddBuiltin(0, counted.builtin_reward);
  }
  own_.Mature(now);
  if (measures_) own_.CloseMeasures(now, /*all=*/true);
  own_.UpdateWeighted();
  // Nothing is written: what is dirty is clean.
  own_.Commit();
}

Sums Replica::Own() const {
  Sums sums;
  for (Ledger::NamedRow& named : own_.Export(0)) {
    const bool total = named.key.slice == store::kTotal && !named.removed;
    // Decisions and latencies teach nothing, and a weighted reward is made of
    // its parts.
    const std::string& metric = named.key.metric;
    if (!total || metric.empty() || metric == "@latency" ||
        metric == "@weighted") {
      continue;
    }
    sums.emplace(std::move(named.key), std::move(named.row));
  }
  return sums;
}

void Replica::Adopt(Sums others) {
  others_ = std::move(others);
  others_moved_ = true;
}

absl::Status Replica::Pool() {
  const bool moved = own_.TakeProgress(0).changed;
  if (!moved && !others_moved_) return absl::OkStatus();
  others_moved_ = false;
  Sums all = Own();
  AddSums(others_, 1, &all);
  for (const auto& [key, row] : all) {
    absl::Status status = pooled_->Restore(0, key, row);
    if (!status.ok()) return status;
  }
  pooled_->UpdateWeighted();
  return absl::OkStatus();
}

absl::Status Replica::Train() {
  if (pooled_ == nullptr) return trainer_->Train(own_);
  const absl::Status status = Pool();
  return status.ok() ? trainer_->Train(*pooled_) : status;
}

std::optional<double> Replica::Estimate(size_t arm) const {
  const Ledger& ledger = pooled_ != nullptr ? *pooled_ : own_;
  const experiment::Experiment& e = plan_->experiments[0];
  const policies::ArmStatistics statistics(
      e.layout(), ledger.Center(0, e.reward_metric),
      ledger.Total(0, e.reward_metric, arm));
  if (!(statistics.count() > 0)) return std::nullopt;
  return statistics.mean();
}

}  // namespace bandit::simulation
