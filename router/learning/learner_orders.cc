// SPDX-License-Identifier: Apache-2.0
// What people ask of the learner: acts on experiments, another config.
#include <memory>
#include <utility>

#include "fmt/format.h"
#include "router/learning/learner.h"

namespace bandit::learning {

absl::Status Learner::AdoptNow(const Compile& compile) {
  auto compiled = compile(bookkeeper_->records());
  if (!compiled.ok()) return compiled.status();
  auto status = Follow(*compiled);
  if (status.ok()) EndTick();
  return status;
}

absl::Status Learner::Follow(const Compiled& compiled,
                             const Bookkeeper::Beside& beside) {
  auto trainer = Trainer::Start(compiled.plan);
  if (!trainer.ok()) return trainer.status();
  auto kept = guards_->Load(*compiled.plan);
  if (!kept.ok()) return kept.status();
  // What the new plan leaves out is written now or never.
  Count();
  Settle({}, /*close=*/true);
  auto status = steward_->Register(*compiled.plan, clock_->Now());
  if (!status.ok()) return status;
  status = bookkeeper_->Adopt(compiled.plan, compiled.records, clock_->Now(),
                              beside);
  if (!status.ok()) return status;
  steward_->Use(compiled.plan);
  guards_->Use(compiled.plan, bookkeeper_->ledger(), *kept, clock_->Now());
  trainer_ = *std::move(trainer);
  UseJoin(*compiled.plan);
  options_ = compiled.options;
  queue_.SetCapacity(options_.queue);
  silence_.set_patience(options_.silence_warning);
  telemetry_.Declare(*compiled.plan);
  {
    absl::MutexLock lock(&mutex_);
    patience_ = PatienceOf(options_);
  }
  return absl::OkStatus();
}

absl::StatusOr<Life> Learner::Act(const ActRequest& request, bool approve) {
  const absl::Time now = clock_->Now();
  auto step = approve ? steward_->DecideApproval(request, now)
                      : steward_->Decide(request, now);
  if (!step.ok()) return step.status();
  if (!step->new_epoch) return steward_->Take(*step);
  auto plan = std::make_shared<experiment::Plan>(bookkeeper_->ledger().plan());
  for (experiment::Experiment& e : plan->experiments) {
    if (e.name == step->experiment) ++e.epoch;
  }
  Compiled next{.plan = std::move(plan),
                .records = bookkeeper_->records(),
                .options = options_};
  ++next.records[step->experiment].epoch;
  auto status = Follow(next, [&](store::Transaction& transaction) {
    return Steward::Put(transaction, &*step);
  });
  if (!status.ok()) return status;
  steward_->Keep(*step);
  EndTick();
  return step->life;
}

absl::Status Learner::Reinstate(std::string_view experiment,
                                const std::string& why) {
  return errands_.Do([&] {
    auto done = guards_->Reinstate(experiment, bookkeeper_->ledger(), why,
                                   clock_->Now());
    if (!done.ok()) return done.status();
    Tell(*done);
    const Life life = steward_->View(experiment).life;
    absl::Status resumed;
    if (life.state == experiment::State::kRolledBack &&
        life.who == kByGuardrails) {
      resumed = steward_
                    ->Do({.experiment = std::string(experiment),
                          .act = experiment::Act::kResume,
                          .arm = {},
                          .who = "operator",
                          .why = why},
                         clock_->Now())
                    .status();
    }
    EndTick();
    return resumed;
  });
}

void Learner::ReleaseResumed(absl::Time now) {
  for (size_t e = 0; e < guards_->size(); ++e) {
    const std::string name = guards_->guard(e).setup().experiment;
    if (!guards_->guard(e).rolled_back()) continue;
    const Life life = steward_->View(name).life;
    if (life.state != experiment::State::kRunning) continue;
    const auto done =
        guards_->Reinstate(name, bookkeeper_->ledger(),
                           fmt::format("resumed by {}", life.who), now);
    if (done.ok()) Tell(*done);
  }
  Guard(now, /*last=*/false);
}

}  // namespace bandit::learning
