// SPDX-License-Identifier: Apache-2.0
#include "router/learning/learner.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "fmt/format.h"
#include "router/learning/refusal.h"
#include "router/learning/settlement.h"
#include "spdlog/spdlog.h"

namespace bandit::learning {
namespace {

using Steady = Wakeup::Clock;

// Rewards of one transaction: enough to share a write, few enough that ticks
// and the first of them do not wait long.
constexpr size_t kMostPerTransaction = 16'384;
constexpr auto kLastHarvest = std::chrono::seconds(2);

std::chrono::nanoseconds Chrono(absl::Duration duration) {
  return absl::ToChronoNanoseconds(duration);
}

absl::Duration Since(Steady::time_point start) {
  return absl::FromChrono(Steady::now() - start);
}

}  // namespace

Learner::Learner(std::unique_ptr<store::StateStore> store,
                 const Options& options, const Clock* clock)
    : clock_(clock),
      store_(std::move(store)),
      wakeup_(std::make_shared<Wakeup>()),
      options_(options),
      silence_(options.silence_warning),
      queue_(options.queue, wakeup_.get()),
      errands_(wakeup_.get()),
      patience_(PatienceOf(options)) {}

absl::StatusOr<std::unique_ptr<Learner>> Learner::Create(
    std::unique_ptr<store::StateStore> store,
    const std::shared_ptr<const experiment::Plan>& plan,
    const ExperimentRecords& records, const Options& options,
    const Clock* clock) {
  std::unique_ptr<Learner> learner(
      new Learner(std::move(store), options, clock));
  auto steward = Steward::Open(learner->store_.get());
  if (!steward.ok()) return steward.status();
  auto status = (*steward)->Register(*plan, clock->Now());
  if (!status.ok()) return status;
  (*steward)->Use(plan);
  learner->steward_ = *std::move(steward);
  auto bookkeeper =
      Bookkeeper::Open(learner->store_.get(), plan, records, clock->Now());
  if (!bookkeeper.ok()) return bookkeeper.status();
  auto trainer = Trainer::Start(plan);
  if (!trainer.ok()) return trainer.status();
  learner->bookkeeper_ = *std::move(bookkeeper);
  learner->guards_ = std::make_unique<GuardHouse>(learner->store_.get());
  auto kept = learner->guards_->Load(*plan);
  if (!kept.ok()) return kept.status();
  learner->guards_->Use(plan, learner->bookkeeper_->ledger(), *kept,
                        clock->Now());
  learner->trainer_ = *std::move(trainer);
  learner->harvester_ = std::make_unique<Harvester>(
      std::vector<WorkerPort*>(), learner->wakeup_, clock->Now());
  learner->UseJoin(*plan);
  learner->telemetry_.Declare(*plan);
  learner->EndTick();
  return learner;
}

Learner::~Learner() { Stop(); }

void Learner::Start(std::vector<WorkerPort*> workers) {
  harvester_ =
      std::make_unique<Harvester>(std::move(workers), wakeup_, clock_->Now());
  errands_.Open();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "learner");
    Run();
  });
}

void Learner::Stop() {
  queue_.Close();
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  wakeup_->Ring();
  if (thread_.joinable()) thread_.join();
  // Only if the thread was never started is anything left.
  for (const RewardBatch& batch : queue_.Take(SIZE_MAX)) {
    batch.done(absl::UnavailableError("the learner did not run"));
  }
}

absl::Status Learner::Submit(std::vector<Reward> rewards, RewardsDone done) {
  return queue_.Push({.rewards = std::move(rewards), .done = std::move(done)});
}

void Learner::CountForged(size_t rewards) {
  telemetry_.CountReward("", "", Outcome::kRejected, rewards);
}

// A tick begins with the question to the workers and ends when all have
// answered, or when the next is due. Rewards are settled whenever there are
// some.
void Learner::Run() {
  Steady::time_point next_tick = Steady::now();
  bool tick_open = false;
  while (true) {
    wakeup_->Wait(next_tick);
    if (stopping()) break;
    errands_.Run();
    const Steady::time_point began = Steady::now();
    const bool due = began >= next_tick;
    const bool ends = tick_open && (due || harvester_->Complete());
    Count();
    if (ends) waiting_.Resolve(join_, harvested_, clock_->Now());
    std::vector<RewardBatch> batches = NextBatches();
    if (ends || !batches.empty()) Settle(std::move(batches));
    if (ends) {
      EndTick();
      tick_open = false;
      telemetry_.CountTick(Since(began));
    }
    if (due) {
      harvester_->Ask(clock_->Now());
      tick_open = true;
      // A late tick is not made up for.
      next_tick = std::max(next_tick + Chrono(options_.tick), Steady::now());
      if (harvester_->Complete()) wakeup_->Ring();
    }
  }
  RunLastTick();
}

void Learner::RunLastTick() {
  const Steady::time_point deadline = Steady::now() + kLastHarvest;
  // The first answer may be to a question from before the stop.
  for (int i = 0; i < 2; ++i) {
    harvester_->Ask(clock_->Now());
    while (!harvester_->Complete() && Steady::now() < deadline) {
      wakeup_->Wait(deadline);
    }
    Count();
  }
  // All is counted that will be: what is not known now never will be.
  waiting_.Add(queue_.Take(SIZE_MAX), join_, harvested_, clock_->Now());
  waiting_.Resolve(join_, UINT64_MAX, clock_->Now());
  do {
    Settle(waiting_.Take(kMostPerTransaction), /*close=*/true);
  } while (waiting_.has_ready());
  EndTick();
  errands_.Close();
  errands_.Run();
}

bool Learner::stopping() const {
  absl::MutexLock lock(&mutex_);
  return stop_;
}

absl::Status Learner::Adopt(const Compile& compile) {
  return errands_.Do([&] { return AdoptNow(compile); });
}

absl::Status Learner::Inspect(const Look& look) {
  return errands_.Do([&] {
    look(bookkeeper_->ledger(), *view());
    return absl::OkStatus();
  });
}

void Learner::Ask(Errand errand, std::function<void()> done) {
  errands_.Post([this, errand = std::move(errand),
                 done = std::move(done)](bool open) {
    if (open) {
      Desk desk{.act = [this](const ActRequest& request,
                              bool approve) { return Act(request, approve); },
                .steward = *steward_,
                .store = *store_,
                .now = clock_->Now()};
      errand(&desk);
      // Who is answered sees it in the status, and in the next request.
      ReleaseResumed(desk.now);
      Publish();
    } else {
      errand(nullptr);
    }
    if (done) done();
  });
}

void Learner::UseJoin(const experiment::Plan& plan) {
  join_.Configure(plan.join, clock_->Now());
  joins_requests_.store(join_.on(), std::memory_order_relaxed);
}

void Learner::Count() {
  // Asked for first: a delta that comes in between is only counted early.
  counted_through_ = harvester_->CountedThrough(clock_->Now());
  harvested_ = harvester_->Answered();
  for (const std::unique_ptr<WorkerDelta>& delta : harvester_->Take()) {
    bookkeeper_->Count(*delta);
    guards_->Count(*delta);
    telemetry_.Count(*delta);
    join_.Add(std::move(delta->requests), clock_->Now());
    for (size_t i = 0; i < delta->experiments.size(); ++i) {
      const experiment::Experiment& e = delta->plan->experiments[i];
      uint64_t decisions = 0;
      for (const SliceDecisions& slice : delta->experiments[i].slices) {
        for (size_t a = 0; a < slice.arms.size(); ++a) {
          shares_.Count(e.name, e.arms[a].name, slice.arms[a].count);
          decisions += slice.arms[a].count;
        }
      }
      if (e.metrics[e.reward_metric].source ==
          experiment::MetricSource::kFeedback) {
        silence_.OnDecisions(e.name, decisions, clock_->Now());
      }
    }
  }
}

// Rewards of the next transaction: those that know their decisions.
std::vector<RewardBatch> Learner::NextBatches() {
  // The next harvest is asked for after they came.
  waiting_.Add(queue_.Take(kMostPerTransaction), join_, harvester_->asked() + 1,
               clock_->Now());
  std::vector<RewardBatch> batches = waiting_.Take(kMostPerTransaction);
  if (waiting_.has_ready()) wakeup_->Ring();
  return batches;
}

void Learner::Settle(std::vector<RewardBatch> batches, bool close) {
  std::vector<size_t> ends;
  const std::vector<Reward> rewards = Gather(absl::MakeSpan(batches), &ends);
  const uint64_t transactions = bookkeeper_->transactions();
  const Steady::time_point began = Steady::now();
  const auto verdicts =
      bookkeeper_->Settle(rewards, clock_->Now(), counted_through_, close);
  if (bookkeeper_->transactions() != transactions) {
    telemetry_.CountCommit(Since(began), !verdicts.ok());
    if (store_watcher_ && store_trouble_.empty() != verdicts.ok()) {
      store_watcher_(verdicts.ok());
    }
    Say(&store_trouble_,
        verdicts.ok()
            ? ""
            : fmt::format("learned state is not written, rewards are refused: "
                          "{}",
                          std::string(verdicts.status().message())),
        "learned state is written again");
  }
  queue_.Release(batches);
  if (verdicts.ok()) {
    CountVerdicts(*verdicts, bookkeeper_->ledger().plan(), &telemetry_,
                  &silence_);
  }
  Answer(absl::MakeSpan(batches), ends, verdicts, [&](size_t i) {
    return WhyRefused(rewards[i], (*verdicts)[i], bookkeeper_->ledger().plan(),
                      clock_->Now());
  });
}

void Learner::EndTick() {
  telemetry_.SetJoin({.entries = join_.entries(),
                      .bytes = join_.bytes(),
                      .dropped = join_.dropped(),
                      .too_long = join_.too_long(),
                      .unresolved = waiting_.given_up()});
  bookkeeper_->ledger().UpdateWeighted();
  const absl::Status trained = trainer_->Train(bookkeeper_->ledger());
  Say(&training_trouble_, std::string(trained.message()),
      "every policy can use its statistics again");
  const absl::Time now = clock_->Now();
  Guard(now, /*last=*/stopping());
  const absl::Status ramped =
      steward_->Tick(now, [this](const std::string& experiment) {
        return guards_->WhyHeld(experiment);
      });
  Say(&ramp_trouble_,
      ramped.ok() ? ""
                  : fmt::format("ramps do not go on: {}",
                                std::string(ramped.message())),
      "ramps go on");
  Publish();
}

void Learner::Publish() {
  const absl::Time now = clock_->Now();
  const std::shared_ptr<const Snapshot> next =
      steward_->Apply(trainer_->snapshot());
  auto view = std::make_shared<View>(
      MakeView(bookkeeper_->ledger(), *next, shares_, now));
  for (size_t e = 0; e < view->experiments.size(); ++e) {
    ExperimentView& experiment = view->experiments[e];
    AddGuard(guards_->guard(e), now, &experiment);
    experiment.silent =
        silence_.Check(experiment.name, experiment.reward_metric, now);
    experiment.life = steward_->View(experiment.name);
  }
  view->audited = steward_->audited();
  bool changed = false;
  {
    absl::MutexLock lock(&mutex_);
    changed = snapshot_ != next;
    snapshot_ = next;
    view_ = std::move(view);
  }
  if (changed) harvester_->Publish(next);
}

void Learner::Guard(absl::Time now, bool last) {
  const Ledger& ledger = bookkeeper_->ledger();
  for (const guardrails::Transition& transition : guards_->Tick(ledger, now)) {
    Tell(transition);
    if (transition.event != guardrails::Event::kRolledBack) continue;
    const auto rolled_back = steward_->Do({.experiment = transition.experiment,
                                           .act = experiment::Act::kRollBack,
                                           .arm = {},
                                           .who = std::string(kByGuardrails),
                                           .proven = true,
                                           .why = transition.reason},
                                          now);
    // Requests go to the control arm all the same.
    if (!rolled_back.ok()) {
      spdlog::error(
          "the roll-back of experiment {} is not in the audit log: {}",
          transition.experiment, std::string(rolled_back.status().message()));
    }
  }
  for (size_t e = 0; e < guards_->size(); ++e) {
    const guardrails::ExperimentGuard& guard = guards_->guard(e);
    trainer_->Restrict(e, guard.eligible(), guard.caps());
  }
  const absl::Status saved = guards_->Save(ledger, now, last);
  if (saved.ok() == guard_trouble_.empty()) return;
  guard_trouble_ = std::string(saved.message());
  if (saved.ok()) {
    spdlog::info("healed: the state of guardrails is written again");
  } else {
    spdlog::error("the state of guardrails is not written: {}", guard_trouble_);
  }
}

void Learner::Tell(const guardrails::Transition& transition) {
  LogTransition(transition);
  if (guard_watcher_) guard_watcher_(transition);
}

void Learner::Say(std::string* trouble, std::string now,
                  std::string_view healed) {
  if (trouble->empty() && !now.empty()) spdlog::error("degraded: {}", now);
  if (!trouble->empty() && now.empty()) spdlog::info("healed: {}", healed);
  *trouble = std::move(now);
  absl::MutexLock lock(&mutex_);
  degraded_.clear();
  for (const std::string* said :
       {&store_trouble_, &training_trouble_, &ramp_trouble_}) {
    if (!degraded_.empty() && !said->empty()) degraded_ += "; ";
    degraded_ += *said;
  }
}

std::shared_ptr<const Snapshot> Learner::snapshot() const {
  absl::MutexLock lock(&mutex_);
  return snapshot_;
}

std::shared_ptr<const View> Learner::view() const {
  absl::MutexLock lock(&mutex_);
  return view_;
}

std::string Learner::degraded() const {
  const absl::Time now = clock_->Now();
  const bool running = errands_.open();
  absl::MutexLock lock(&mutex_);
  if (running && now - view_->learned > patience_) {
    return fmt::format("the learner has not ended a tick for {}{}{}",
                       absl::FormatDuration(
                           absl::Trunc(now - view_->learned, absl::Seconds(1))),
                       degraded_.empty() ? "" : "; ", degraded_);
  }
  return degraded_;
}

}  // namespace bandit::learning
