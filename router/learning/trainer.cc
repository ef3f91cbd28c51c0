// SPDX-License-Identifier: Apache-2.0
#include "router/learning/trainer.h"

#include <string>
#include <utility>

#include "fmt/format.h"

namespace bandit::learning {
namespace {

using experiment::MetricSource;
using policies::StatisticsLayout;

// The sums of k - r about k - center, from those of r about center.
std::vector<double> Reversed(const StatisticsLayout& layout, double k,
                             absl::Span<const double> vector) {
  std::vector<double> reversed(vector.begin(), vector.end());
  reversed[StatisticsLayout::kSum] *= -1;
  reversed[StatisticsLayout::kWeightedSum] *= -1;
  for (size_t i = 0; i < layout.dimension; ++i) {
    // Column 0 of x is 1, so column 0 of sum x x' is sum x.
    const double sum_x = vector[StatisticsLayout::kGram + i * (i + 1) / 2];
    double& response = reversed[layout.response() + i];
    response = k * sum_x - response;
  }
  return reversed;
}

absl::StatusOr<std::shared_ptr<const policies::Model>> Prepare(
    const Ledger& ledger, size_t e, const Progress& progress,
    const policies::Model* previous) {
  const experiment::Experiment& experiment = ledger.plan().experiments[e];
  const StatisticsLayout layout = experiment.layout();
  const size_t m = experiment.reward_metric;
  double center = ledger.Center(e, m);
  std::vector<std::vector<double>> reversed;
  const MetricSource source = experiment.metrics[m].source;
  const double k = source == MetricSource::kError ? 1 : 0;
  if (experiment::IsMeasured(source)) {
    for (size_t a = 0; a < experiment.arms.size(); ++a) {
      reversed.push_back(Reversed(layout, k, ledger.Total(e, m, a)));
    }
    center = k - center;
  }
  std::vector<policies::ArmStatistics> arms;
  for (size_t a = 0; a < experiment.arms.size(); ++a) {
    arms.emplace_back(layout, center,
                      reversed.empty() ? ledger.Total(e, m, a)
                                       : absl::MakeConstSpan(reversed[a]));
  }
  policies::PrepareInput input{.arms = arms, .previous = nullptr, .fresh = {}};
  std::vector<policies::NewObservation> fresh;
  if (previous != nullptr && progress.only_fresh && reversed.empty()) {
    for (const FreshReward& reward : progress.fresh) {
      fresh.push_back({.arm = reward.arm,
                       .observation = {.reward = reward.reward,
                                       .propensity = reward.propensity,
                                       .features = reward.features}});
    }
    input.previous = previous;
    input.fresh = fresh;
  }
  return experiment.policy->Prepare(input);
}

absl::Status Named(const experiment::Experiment& experiment,
                   const absl::Status& status) {
  return absl::Status(
      status.code(),
      fmt::format("experiments.{}: policy {} cannot use the statistics: {}",
                  experiment.name, experiment.policy_name,
                  std::string(status.message())));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Trainer>> Trainer::Start(
    std::shared_ptr<const experiment::Plan> plan) {
  const Ledger nothing(plan);
  auto snapshot = std::make_shared<Snapshot>();
  for (size_t e = 0; e < plan->experiments.size(); ++e) {
    auto model = Prepare(nothing, e, Progress{}, nullptr);
    if (!model.ok()) return Named(plan->experiments[e], model.status());
    snapshot->models.push_back(*std::move(model));
    snapshot->eligible.push_back(
        policies::AllArms(plan->experiments[e].arms.size()));
    snapshot->caps.emplace_back();
    snapshot->exposure.push_back({.state = experiment::State::kRunning,
                                  .arm = plan->experiments[e].control,
                                  .share = 1});
  }
  auto trainer = std::make_unique<Trainer>();
  trainer->failed_.resize(plan->experiments.size());
  snapshot->plan = std::move(plan);
  trainer->snapshot_ = std::move(snapshot);
  return trainer;
}

absl::Status Trainer::Train(Ledger& ledger) {
  std::shared_ptr<Snapshot> next;
  absl::Status first_error;
  for (size_t e = 0; e < ledger.plan().experiments.size(); ++e) {
    const Progress progress = ledger.TakeProgress(e);
    if (progress.changed) {
      // The model of a failed experiment lacks more than what is fresh.
      auto model =
          Prepare(ledger, e, progress,
                  failed_[e].ok() ? snapshot_->models[e].get() : nullptr);
      failed_[e] = model.ok()
                       ? absl::OkStatus()
                       : Named(ledger.plan().experiments[e], model.status());
      if (model.ok()) {
        if (next == nullptr) next = std::make_shared<Snapshot>(*snapshot_);
        next->models[e] = *std::move(model);
      }
    }
    first_error.Update(failed_[e]);
  }
  if (next != nullptr) snapshot_ = std::move(next);
  return first_error;
}

void Trainer::Restrict(size_t experiment, policies::ArmSet eligible,
                       const std::vector<double>& caps) {
  if (snapshot_->eligible[experiment] == eligible &&
      snapshot_->caps[experiment] == caps) {
    return;
  }
  auto next = std::make_shared<Snapshot>(*snapshot_);
  next->eligible[experiment] = eligible;
  next->caps[experiment] = caps;
  snapshot_ = std::move(next);
}

}  // namespace bandit::learning
