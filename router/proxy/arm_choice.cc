// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/arm_choice.h"

#include <utility>

#include "router/proxy/worker_state.h"

namespace bandit::proxy {

const experiment::Experiment& ArmChoice::experiment() const {
  return generation_->plan->experiments[*index_];
}

const experiment::Arm& ArmChoice::arm() const {
  return experiment().arms[assignment_.decision.arm];
}

policies::ArmSet ArmChoice::Well(policies::ArmSet eligible) const {
  const std::vector<experiment::Arm>& arms = experiment().arms;
  policies::ArmSet well = eligible & policies::AllArms(arms.size());
  for (size_t i = 0; i < arms.size(); ++i) {
    if (!generation_->backends[arms[i].backend]->available()) {
      well &= ~(policies::ArmSet{1} << i);
    }
  }
  return well;
}

void ArmChoice::Draw(Generation& generation, size_t experiment_index,
                     const http2::HeaderBlock& request) {
  generation_ = &generation;
  index_ = experiment_index;
  request_ = &request;
  const experiment::Experiment& e = experiment();
  const learning::Snapshot& snapshot = *generation.snapshot;
  learning::WorkerStatistics& statistics = generation.statistics;
  policies::ArmSet arms = Well(snapshot.eligible[*index_]);
  if (arms == 0) {
    arms = policies::ArmSet{1} << e.last_resort;
    ++statistics.traffic(*index_).last_resort;
  }
  experiment::Assign(e, *snapshot.models[*index_],
                     {arms, snapshot.caps[*index_]}, request.view(),
                     worker_.unix_ms(), worker_.random, &assignment_);
  statistics.OnStart(*index_, assignment_.decision.arm);
  if (!e.retry.has_value() || !e.retry->fallback) Settle();
}

bool ArmChoice::FallBack() {
  const learning::Snapshot& snapshot = *generation_->snapshot;
  const uint32_t from = assignment_.decision.arm;
  const policies::ArmSet eligible = snapshot.eligible[*index_];
  // Where no other arm is well, one may have come back without being known to.
  policies::ArmSet arms =
      Well(eligible) & ~(policies::ArmSet{1} << from);
  if (arms == 0) arms = eligible;
  if (!experiment::Reassign(experiment(), *snapshot.models[*index_],
                            {arms, snapshot.caps[*index_]}, worker_.random,
                            &assignment_)) {
    return false;
  }
  generation_->statistics.OnFallback(*index_, from, assignment_.decision.arm);
  return true;
}

void ArmChoice::Settle() {
  if (!drawn() || std::exchange(settled_, true)) return;
  experiment::Decision& decision = assignment_.decision;
  const experiment::Experiment& e = experiment();
  learning::WorkerStatistics& statistics = generation_->statistics;
  // The slice of a time that lies back may have been closed already.
  if (e.retry.has_value() && e.retry->fallback) {
    decision.time_ms = worker_.unix_ms();
  }
  statistics.OnDecision(
      *index_, decision,
      absl::MakeConstSpan(assignment_.p.data(), e.arms.size()));
  for (size_t i = 0; i < e.features.feature_count(); ++i) {
    if ((assignment_.missing_features >> i) & 1) {
      statistics.OnMissingFeature(*index_, i);
    }
  }
  if (const auto& join = generation_->plan->join; join.has_value()) {
    statistics.OnRequest(request_->Find(join->metadata), decision);
  }
  worker_.signer->Sign(decision, &token_);
}

void ArmChoice::AddHeaders(http2::HeaderBlock* block) {
  if (!drawn()) return;
  Settle();
  block->AddBorrowed("x-bandit-decision", token_, /*indexed=*/false);
  block->AddBorrowed("x-bandit-arm", arm().name);
  block->AddBorrowed("x-bandit-experiment", experiment().name);
}

void ArmChoice::Finish(const learning::CallRecord& call) {
  Settle();
  generation_->statistics.OnFinish(*index_, assignment_.decision, call);
}

void ArmChoice::Reset() {
  generation_ = nullptr;
  request_ = nullptr;
  index_.reset();
  settled_ = false;
}

}  // namespace bandit::proxy
