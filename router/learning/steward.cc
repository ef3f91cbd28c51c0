// SPDX-License-Identifier: Apache-2.0
#include "router/learning/steward.h"

#include <algorithm>
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

std::string Percent(double share) { return fmt::format("{:g} %", 100 * share); }

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
  return Write(name, life, entry, &config);
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

bool Steward::NeedsApproval(State state, Act act) const {
  const experiment::Approval& approval = plan_->approval;
  switch (act) {
    case Act::kStart:
      return approval.start;
    case Act::kResume:
      // Such a one begins anew.
      return approval.start && state != State::kPaused;
    case Act::kPromote:
      return approval.promote;
    case Act::kRamp:
      return approval.ramp;
    default:
      return false;
  }
}

absl::Status Steward::Change(const experiment::Experiment& experiment,
                             const ActRequest& request, absl::Time now,
                             Life* life, std::string* detail) const {
  const auto next = Next(life->state, request.act);
  if (!next.ok()) return About(experiment.name, next.status());
  const State before = life->state;
  life->arm.clear();
  if (request.act == Act::kPromote) {
    const auto arm = std::find_if(
        experiment.arms.begin(), experiment.arms.end(),
        [&](const auto& other) { return other.name == request.arm; });
    if (arm == experiment.arms.end()) {
      return absl::NotFoundError(
          fmt::format("experiment {}: \"{}\" is not one of its arms",
                      experiment.name, request.arm));
    }
    life->arm = request.arm;
  }
  life->state = *next;
  life->changed = now;
  life->who = request.who;
  life->why = request.why;
  life->pending.reset();
  *detail = fmt::format("{} -> {}{}", Name(before), Name(*next),
                        life->arm.empty() ? "" : ", arm " + life->arm);
  if (request.act == Act::kRamp) {
    const double from = ShareOf(experiment.ramp, life->ramp);
    life->ramp = {.stage = life->ramp.stage + 1,
                  .elapsed = absl::ZeroDuration()};
    *detail = fmt::format("{} -> {} of the units", Percent(from),
                          Percent(ShareOf(experiment.ramp, life->ramp)));
  } else if (*next == State::kRunning) {
    life->ramp_by = request.who;
    // What was taken back for its harm is let in by and by again.
    if (before == State::kRolledBack) life->ramp = {};
  }
  life->share = ShareOf(experiment.ramp, life->ramp);
  return absl::OkStatus();
}

absl::StatusOr<Life> Steward::Do(const ActRequest& request, absl::Time now) {
  auto experiment = Find(request.experiment);
  if (!experiment.ok()) return experiment.status();
  const Life& before = lives_.find(request.experiment)->second;
  Life life = before;
  std::string detail;
  auto status = Change(**experiment, request, now, &life, &detail);
  if (!status.ok()) return status;
  if (NeedsApproval(before.state, request.act)) {
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
    detail += ", waits for approval";
  }
  status = Write(request.experiment, life, EntryOf(request, detail, now));
  if (!status.ok()) return status;
  return life;
}

absl::StatusOr<Life> Steward::Approve(const ActRequest& request,
                                      absl::Time now) {
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
  std::string detail;
  auto status = Change(**experiment, approved, now, &life, &detail);
  if (!status.ok()) return status;
  if (pending.act == Act::kRamp) life.ramp_by = request.who;
  store::AuditEntry entry =
      EntryOf(approved,
              fmt::format("{}: {}, asked for by {}", Name(pending.act), detail,
                          pending.who),
              now);
  entry.act = "approve";
  status = Write(request.experiment, life, entry);
  if (!status.ok()) return status;
  return life;
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
    std::string detail;
    Life after = life;
    auto status = Change(experiment, next, now, &after, &detail);
    if (!status.ok()) return status;
    if (NeedsApproval(life.state, Act::kRamp)) {
      life.pending = {.act = Act::kRamp,
                      .arm = {},
                      .who = life.ramp_by,
                      .why = next.why,
                      .asked = now};
      detail += ", waits for approval";
    } else {
      life = after;
    }
    entry = EntryOf(next, detail, now);
  } else if (now - ramp.written < WritePauseOf(experiment, life)) {
    lives_.find(experiment.name)->second.ramp = life.ramp;
    return absl::OkStatus();
  }
  auto status = Write(experiment.name, life, entry);
  if (status.ok()) ramp.written = now;
  return status;
}

absl::Status Steward::Write(const std::string& experiment, const Life& life,
                            const store::AuditEntry& entry,
                            const std::string* config) {
  auto transaction = store_->Begin();
  if (!transaction.ok()) return transaction.status();
  auto status =
      (*transaction)->PutNote(experiment, kLifecycle, EncodeLife(life));
  if (!status.ok()) return status;
  if (config != nullptr) {
    auto put = (*transaction)->PutNote(experiment, kConfig, *config);
    if (!put.ok()) return put;
  }
  std::optional<store::AuditEntry> written;
  if (!entry.act.empty()) {
    auto sealed = (*transaction)->AppendAudit(entry);
    if (!sealed.ok()) return sealed.status();
    written = *std::move(sealed);
  }
  if (auto s = (*transaction)->Commit(); !s.ok()) return s;
  lives_[experiment] = life;
  if (config != nullptr) configs_[experiment] = *config;
  if (plan_ != nullptr) Expose();
  if (!written.has_value()) return absl::OkStatus();
  ++audited_;
  spdlog::info("experiment {}: {} by {}{}: {}{}{} (audit {} {})", experiment,
               written->act, written->who, written->proven ? "" : " (unproven)",
               written->detail, written->why.empty() ? "" : ", because ",
               written->why, written->sequence,
               absl::BytesToHexString(written->hash).substr(0, 16));
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
