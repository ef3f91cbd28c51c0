// SPDX-License-Identifier: Apache-2.0
#include "router/learning/steward.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "router/learning/config_change.h"
#include "spdlog/spdlog.h"

namespace bandit::learning {
namespace {

using experiment::Act;
using experiment::State;

constexpr std::string_view kLifecycle = "lifecycle";
constexpr std::string_view kConfig = "config";
// Who acts where no person does.
constexpr std::string_view kByConfig = "config";
constexpr std::string_view kByRouter = "router";
// A clock that jumps has not let a stage be lived through.
constexpr absl::Duration kMostPerTick = absl::Minutes(1);
// How often a stage's time is written down, at most.
constexpr absl::Duration kWritePause = absl::Seconds(10);

absl::Status About(const std::string& experiment, const absl::Status& status) {
  return absl::Status(status.code(),
                      fmt::format("experiment {}: {}", experiment,
                                  std::string(status.message())));
}

// A restart costs a stage no more than a hundredth of its time.
absl::Duration WritePauseOf(const experiment::Experiment& experiment,
                            const Life& life) {
  return std::max(kWritePause, experiment.ramp[life.ramp.stage].lasts / 100);
}

store::AuditEntry EntryOf(const ActRequest& request, std::string detail,
                          absl::Time now) {
  return {.time_ms = absl::ToUnixMillis(now),
          .who = request.who,
          .proven = request.proven,
          .act = std::string(Name(request.act)),
          .experiment = request.experiment,
          .why = request.why,
          .detail = std::move(detail)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Steward>> Steward::Open(
    store::StateStore* store) {
  std::unique_ptr<Steward> steward(new Steward(store));
  auto notes = store->Notes(kLifecycle);
  if (!notes.ok()) return notes.status();
  for (const auto& [name, bytes] : *notes) {
    auto life = DecodeLife(bytes);
    if (!life.ok()) return About(name, life.status());
    steward->lives_[name] = *std::move(life);
  }
  auto configs = store->Notes(kConfig);
  if (!configs.ok()) return configs.status();
  steward->configs_ = *std::move(configs);
  return steward;
}

absl::Status Steward::Register(const experiment::Plan& plan, absl::Time now) {
  auto known = store_->Experiments();
  if (!known.ok()) return known.status();
  for (const experiment::Experiment& e : plan.experiments) {
    auto status = RegisterOne(plan, e, known->contains(e.name), now);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Steward::RegisterOne(const experiment::Plan& plan,
                                  const experiment::Experiment& experiment,
                                  bool known, absl::Time now) {
  const std::string& name = experiment.name;
  const std::string config = Serialize(experiment.config);
  const auto old = configs_.find(name);
  const bool edited = old != configs_.end() && old->second != config;
  store::AuditEntry entry{.time_ms = absl::ToUnixMillis(now),
                          .who = std::string(kByConfig),
                          .proven = true,
                          .experiment = name};
  Life life;
  if (const auto it = lives_.find(name); it != lives_.end()) {
    life = it->second;
    const experiment::RampProgress fitting =
        FitRamp(experiment.ramp, life.ramp, life.share);
    if (!edited && fitting == life.ramp && old != configs_.end()) {
      return absl::OkStatus();
    }
    life.ramp = fitting;
    entry.act = edited ? "edit" : "";
    if (edited) entry.detail = DescribeChange(old->second, config);
  } else {
    // One that an earlier version of the router has run goes on running.
    const bool draft = !known && (experiment.draft || plan.approval.start);
    life.state = draft ? State::kDraft : State::kRunning;
    life.changed = now;
    life.who = kByConfig;
    // Its ramp is for what is new.
    if (known) life.ramp.stage = experiment.ramp.size();
    entry.act = "add";
    entry.detail = Name(life.state);
  }
  life.share = ShareOf(experiment.ramp, life.ramp);
  return Write({.experiment = name, .life = life, .entry = std::move(entry)},
               &config);
}

void Steward::Use(std::shared_ptr<const experiment::Plan> plan) {
  plan_ = std::move(plan);
  Expose();
}

absl::StatusOr<const experiment::Experiment*> Steward::Find(
    const std::string& name) const {
  for (const experiment::Experiment& e : plan_->experiments) {
    if (e.name == name) return &e;
  }
  return absl::NotFoundError(fmt::format("no experiment is named {}", name));
}

absl::StatusOr<Steward::Step> Steward::Decide(const ActRequest& request,
                                              absl::Time now) const {
  auto experiment = Find(request.experiment);
  if (!experiment.ok()) return experiment.status();
  const Life& before = lives_.find(request.experiment)->second;
  Life life = before;
  auto detail = ChangeLife(**experiment, request, now, &life);
  if (!detail.ok()) return detail.status();
  const bool waits = NeedsApproval(plan_->approval, before.state, request.act);
  if (waits) {
    if (!request.proven) {
      return absl::PermissionDeniedError(fmt::format(
          "experiment {}: {} needs another's approval, so it must be known "
          "who asks: show the token of one of `identities`",
          request.experiment, Name(request.act)));
    }
    life = before;
    life.pending = {.act = request.act,
                    .arm = request.arm,
                    .who = request.who,
                    .why = request.why,
                    .asked = now};
    *detail += ", waits for approval";
  }
  return Step{.experiment = request.experiment,
              .life = life,
              .entry = EntryOf(request, *std::move(detail), now),
              .new_epoch = request.act == Act::kReset && !waits};
}

absl::StatusOr<Steward::Step> Steward::DecideApproval(const ActRequest& request,
                                                      absl::Time now) const {
  auto experiment = Find(request.experiment);
  if (!experiment.ok()) return experiment.status();
  Life life = lives_.find(request.experiment)->second;
  if (!life.pending.has_value()) {
    return absl::FailedPreconditionError(fmt::format(
        "experiment {}: nothing waits for approval", request.experiment));
  }
  const Life::Pending pending = *life.pending;
  if (!request.proven || request.who == pending.who) {
    return absl::PermissionDeniedError(fmt::format(
        "experiment {}: {} was asked for by {}, so another of `identities` "
        "must approve it, with his own token",
        request.experiment, Name(pending.act), pending.who));
  }
  const auto ramp = ramps_.find(request.experiment);
  if (pending.act == Act::kRamp && ramp != ramps_.end() &&
      !ramp->second.held.empty()) {
    return absl::FailedPreconditionError(
        fmt::format("experiment {}: the ramp is held: {}", request.experiment,
                    ramp->second.held));
  }
  ActRequest approved = request;
  approved.act = pending.act;
  approved.arm = pending.arm;
  const auto detail = ChangeLife(**experiment, approved, now, &life);
  if (!detail.ok()) return detail.status();
  if (pending.act == Act::kRamp) life.ramp_by = request.who;
  Step step{
      .experiment = request.experiment,
      .life = life,
      .entry = EntryOf(approved,
                       fmt::format("{}: {}, asked for by {}", Name(pending.act),
                                   *detail, pending.who),
                       now),
      .new_epoch = pending.act == Act::kReset};
  step.entry.act = "approve";
  return step;
}

absl::StatusOr<Life> Steward::Take(const Step& step) {
  auto status = Write(step);
  if (!status.ok()) return status;
  return step.life;
}

absl::StatusOr<Life> Steward::Do(const ActRequest& request, absl::Time now) {
  auto step = Decide(request, now);
  if (!step.ok()) return step.status();
  assert(!step->new_epoch);
  return Take(*step);
}

absl::StatusOr<Life> Steward::Approve(const ActRequest& request,
                                      absl::Time now) {
  auto step = DecideApproval(request, now);
  if (!step.ok()) return step.status();
  assert(!step->new_epoch);
  return Take(*step);
}

absl::Status Steward::Tick(absl::Time now, Hold hold) {
  const absl::Duration passed =
      std::clamp(now - ticked_, absl::ZeroDuration(), kMostPerTick);
  ticked_ = now;
  absl::Status first_error;
  for (const experiment::Experiment& e : plan_->experiments) {
    if (e.ramp.empty()) continue;
    first_error.Update(TickOne(e, passed, now, hold));
  }
  return first_error;
}

absl::Status Steward::TickOne(const experiment::Experiment& experiment,
                              absl::Duration passed, absl::Time now,
                              Hold hold) {
  Life life = lives_.find(experiment.name)->second;
  Ramp& ramp = ramps_[experiment.name];
  if (life.state != State::kRunning ||
      life.ramp.stage >= experiment.ramp.size()) {
    ramp.held.clear();
    return absl::OkStatus();
  }
  const std::string held = hold(experiment.name);
  if (held.empty() != ramp.held.empty()) {
    spdlog::info("experiment {}: the ramp {}", experiment.name,
                 held.empty() ? "is held no longer, its stage begins anew"
                              : "is held: " + held);
  }
  ramp.held = held;
  // A stage counts if it was well from its beginning to its end.
  life.ramp.elapsed =
      held.empty() ? life.ramp.elapsed + passed : absl::ZeroDuration();
  ActRequest next{.experiment = experiment.name,
                  .act = Act::kRamp,
                  .arm = {},
                  .who = std::string(kByRouter),
                  .proven = true,
                  .why = "the stage has lasted its time"};
  store::AuditEntry entry;
  if (StageIsOver(experiment.ramp, life.ramp) && !life.pending.has_value()) {
    Life after = life;
    auto detail = ChangeLife(experiment, next, now, &after);
    if (!detail.ok()) return detail.status();
    if (NeedsApproval(plan_->approval, life.state, Act::kRamp)) {
      life.pending = {.act = Act::kRamp,
                      .arm = {},
                      .who = life.ramp_by,
                      .why = next.why,
                      .asked = now};
      *detail += ", waits for approval";
    } else {
      life = after;
    }
    entry = EntryOf(next, *std::move(detail), now);
  } else if (now - ramp.written < WritePauseOf(experiment, life)) {
    lives_.find(experiment.name)->second.ramp = life.ramp;
    return absl::OkStatus();
  }
  auto status = Write(
      {.experiment = experiment.name, .life = life, .entry = std::move(entry)});
  if (status.ok()) ramp.written = now;
  return status;
}

absl::Status Steward::Put(store::Transaction& transaction, Step* step) {
  auto status =
      transaction.PutNote(step->experiment, kLifecycle, EncodeLife(step->life));
  if (!status.ok() || step->entry.act.empty()) return status;
  auto sealed = transaction.AppendAudit(step->entry);
  if (!sealed.ok()) return sealed.status();
  step->entry = *std::move(sealed);
  return absl::OkStatus();
}

void Steward::Keep(const Step& step) {
  lives_[step.experiment] = step.life;
  if (plan_ != nullptr) Expose();
  const store::AuditEntry& entry = step.entry;
  if (entry.act.empty()) return;
  ++audited_;
  spdlog::info("experiment {}: {} by {}{}: {}{}{} (audit {} {})",
               step.experiment, entry.act, entry.who,
               entry.proven ? "" : " (unproven)", entry.detail,
               entry.why.empty() ? "" : ", because ", entry.why, entry.sequence,
               absl::BytesToHexString(entry.hash).substr(0, 16));
}

absl::Status Steward::Write(Step step, const std::string* config) {
  auto transaction = store_->Begin();
  if (!transaction.ok()) return transaction.status();
  auto status = Put(**transaction, &step);
  if (!status.ok()) return status;
  if (config != nullptr) {
    auto put = (*transaction)->PutNote(step.experiment, kConfig, *config);
    if (!put.ok()) return put;
  }
  if (auto s = (*transaction)->Commit(); !s.ok()) return s;
  if (config != nullptr) configs_[step.experiment] = *config;
  Keep(step);
  return absl::OkStatus();
}

void Steward::Expose() {
  std::vector<experiment::Exposure> exposure;
  for (const experiment::Experiment& e : plan_->experiments) {
    const auto it = lives_.find(e.name);
    if (it == lives_.end()) continue;
    const Life& life = it->second;
    experiment::Exposure& next = exposure.emplace_back();
    next.state = life.state;
    next.arm = e.control;
    next.share = ShareOf(e.ramp, life.ramp);
    if (life.state != State::kConcluded) continue;
    // An arm that the config has no longer leaves control.
    for (size_t a = 0; a < e.arms.size(); ++a) {
      if (e.arms[a].name == life.arm) next.arm = a;
    }
  }
  if (exposure == exposure_) return;
  exposure_ = std::move(exposure);
  applied_.reset();
}

std::shared_ptr<const Snapshot> Steward::Apply(
    std::shared_ptr<const Snapshot> base) {
  if (applied_ == nullptr || base != base_) {
    auto applied = std::make_shared<Snapshot>(*base);
    applied->exposure = exposure_;
    base_ = std::move(base);
    applied_ = std::move(applied);
  }
  return applied_;
}

LifeView Steward::View(std::string_view experiment) const {
  LifeView view{
      .life = lives_.find(experiment)->second, .stages = {}, .held = {}};
  for (const experiment::Experiment& e : plan_->experiments) {
    if (e.name == experiment) view.stages = e.ramp;
  }
  if (const auto it = ramps_.find(experiment); it != ramps_.end()) {
    view.held = it->second.held;
  }
  return view;
}

}  // namespace bandit::learning
