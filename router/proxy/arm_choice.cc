// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/arm_choice.h"

#include <utility>

#include "router/experiment/force.h"
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
  // An overlay's are wherever the call goes.
  if (experiment().overlay) return well;
  for (size_t i = 0; i < arms.size(); ++i) {
    if (!generation_->backends[arms[i].backend]->available()) {
      well &= ~(policies::ArmSet{1} << i);
    }
  }
  return well;
}

void ArmChoice::LeaveOut(experiment::Uncounted why, size_t arm) {
  uncounted_ = why;
  assignment_.decision.arm = static_cast<uint32_t>(arm);
  generation_->statistics.OnUncountedStart(*index_, why);
}

bool ArmChoice::Draw(Generation& generation, size_t experiment_index,
                     const http2::HeaderBlock& request,
                     experiment::Places& places) {
  const auto forced = experiment::FindForced(
      generation.plan->experiments[experiment_index], request.view());
  if (forced.has_value() && !forced->arm.has_value()) return false;
  generation_ = &generation;
  index_ = experiment_index;
  request_ = &request;
  const experiment::Experiment& e = experiment();
  const learning::Snapshot& snapshot = *generation.snapshot;
  learning::WorkerStatistics& statistics = generation.statistics;
  const experiment::Exposure& exposure = snapshot.exposure[*index_];
  if (forced.has_value()) {
    LeaveOut(experiment::Uncounted::kForced, *forced->arm);
    return true;
  }
  if (const auto why =
          experiment::WhyUncounted(*generation.plan, e, exposure,
                                   request.view(), places, worker_.random);
      why.has_value()) {
    LeaveOut(*why, exposure.arm);
    return true;
  }
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
  return true;
}

void ArmChoice::SetMetadata(http2::HeaderBlock* request) const {
  for (const std::string& key : experiment().metadata_keys) {
    request->Remove(key);
  }
  for (const auto& [key, value] : arm().metadata) {
    request->AddBorrowed(key, value);
  }
}

bool ArmChoice::FallBack() {
  if (!counted()) return false;
  const learning::Snapshot& snapshot = *generation_->snapshot;
  const uint32_t from = assignment_.decision.arm;
  const policies::ArmSet eligible = snapshot.eligible[*index_];
  // Where no other arm is well, one may have come back without being known to.
  policies::ArmSet arms = Well(eligible) & ~(policies::ArmSet{1} << from);
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
  if (!counted() || std::exchange(settled_, true)) return;
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
  if (const auto& join = generation_->plan->join;
      join.has_value() && !e.overlay) {
    statistics.OnRequest(request_->Find(join->metadata), decision);
  }
  worker_.signer->Sign(decision, &token_);
}

void ArmChoice::AddHeaders(http2::HeaderBlock* block) {
  if (!drawn()) return;
  Settle();
  if (counted()) {
    block->AddBorrowed("x-bandit-decision", token_, /*indexed=*/false);
  } else {
    block->AddBorrowed("x-bandit-uncounted", Name(*uncounted_));
  }
  block->AddBorrowed("x-bandit-arm", arm().name);
  block->AddBorrowed("x-bandit-experiment", experiment().name);
}

void ArmChoice::Finish(const learning::CallRecord& call) {
  if (!counted()) {
    generation_->statistics.OnUncountedFinish(*index_, call);
    return;
  }
  Settle();
  generation_->statistics.OnFinish(*index_, assignment_.decision, call);
}

void ArmChoice::Reset() {
  generation_ = nullptr;
  request_ = nullptr;
  index_.reset();
  uncounted_.reset();
  settled_ = false;
}

}  // namespace bandit::proxy
