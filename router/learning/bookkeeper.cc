// SPDX-License-Identifier: Apache-2.0
#include "router/learning/bookkeeper.h"

#include <algorithm>

#include "fmt/format.h"
#include "router/store/statistics_row.h"
#include "spdlog/spdlog.h"

namespace bandit::learning {
namespace {

// Bounds what one transaction spends on forgetting.
constexpr size_t kPurgeLimit = 20'000;
constexpr absl::Duration kPurgePause = absl::Seconds(10);

// The plan's experiment that a delta's experiment is, if it still is.
std::optional<size_t> SameExperiment(const experiment::Plan& plan,
                                     const experiment::Experiment& old) {
  for (size_t e = 0; e < plan.experiments.size(); ++e) {
    const experiment::Experiment& now = plan.experiments[e];
    if (now.name == old.name && now.epoch == old.epoch &&
        now.arms.size() == old.arms.size()) {
      return e;
    }
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Bookkeeper>> Bookkeeper::Open(
    store::StateStore* store,
    const std::shared_ptr<const experiment::Plan>& plan,
    const ExperimentRecords& records, absl::Time now) {
  std::unique_ptr<Bookkeeper> keeper(new Bookkeeper(store));
  auto known = store->Experiments();
  if (!known.ok()) return known.status();
  keeper->records_ = *std::move(known);
  if (auto status = keeper->Adopt(plan, records, now); !status.ok()) {
    return status;
  }
  return keeper;
}

absl::Status Bookkeeper::Adopt(
    const std::shared_ptr<const experiment::Plan>& plan,
    const ExperimentRecords& records, absl::Time now, const Beside& beside) {
  auto ledger = Load(plan);
  if (!ledger.ok()) return ledger.status();
  if (auto status = WriteRecords(records, now, beside); !status.ok()) {
    return status;
  }
  Use(*std::move(ledger));
  return absl::OkStatus();
}

absl::Status Bookkeeper::WriteRecords(const ExperimentRecords& records,
                                      absl::Time now, const Beside& beside) {
  std::vector<std::string> lines;
  std::unique_ptr<store::Transaction> transaction;
  for (const auto& [name, record] : records) {
    const auto old = records_.find(name);
    if (old != records_.end() && old->second == record) continue;
    if (transaction == nullptr) {
      auto begun = store_->Begin();
      if (!begun.ok()) return begun.status();
      transaction = *std::move(begun);
    }
    auto status = transaction->PutExperiment(name, record);
    if (!status.ok()) return status;
    if (old == records_.end()) {
      lines.push_back(
          fmt::format("experiment {}: new, epoch {}", name, record.epoch));
    } else if (old->second.epoch != record.epoch) {
      const auto changes =
          experiment::EpochChanges(old->second.fingerprint, record.fingerprint);
      const std::string why =
          changes.empty() ? "it was reset"
                          : fmt::format("{} changed", fmt::join(changes, ", "));
      lines.push_back(fmt::format(
          "experiment {}: epoch {} begins, because {}; what epoch {} "
          "learned no longer counts",
          name, record.epoch, why, old->second.epoch));
      if (changes.empty()) continue;
      auto entry = transaction->AppendAudit(
          {.time_ms = absl::ToUnixMillis(now),
           .who = "config",
           .proven = true,
           .act = "epoch",
           .experiment = name,
           .why = why,
           .detail = fmt::format("{} -> {}", old->second.epoch, record.epoch)});
      if (!entry.ok()) return entry.status();
    }
  }
  if (transaction == nullptr) return absl::OkStatus();
  if (beside) {
    if (auto status = beside(*transaction); !status.ok()) return status;
  }
  if (auto status = transaction->Commit(); !status.ok()) return status;
  for (const auto& [name, record] : records) records_[name] = record;
  for (const std::string& line : lines) spdlog::info(line);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Ledger>> Bookkeeper::Load(
    const std::shared_ptr<const experiment::Plan>& plan) const {
  auto ledger = std::make_unique<Ledger>(plan);
  for (size_t e = 0; e < plan->experiments.size(); ++e) {
    const experiment::Experiment& experiment = plan->experiments[e];
    const store::Study study{.experiment = experiment.name,
                             .epoch = experiment.epoch};
    // What the running ledger has may be ahead of the store.
    if (ledger_ != nullptr) {
      const auto& running = ledger_->plan().experiments;
      const auto same =
          std::find_if(running.begin(), running.end(), [&](const auto& other) {
            return other.name == study.experiment && other.epoch == study.epoch;
          });
      if (same != running.end()) {
        for (const Ledger::NamedRow& row :
             ledger_->Export(static_cast<size_t>(same - running.begin()))) {
          auto status = ledger->Import(e, row);
          if (!status.ok()) return status;
        }
        continue;
      }
    }
    auto rows = store_->Statistics(study);
    if (!rows.ok()) return rows.status();
    for (const auto& [key, bytes] : *rows) {
      auto row = store::Decode(bytes);
      absl::Status status = row.status();
      if (status.ok()) status = ledger->Restore(e, key, *row);
      if (!status.ok()) {
        return absl::Status(
            status.code(),
            fmt::format("experiments.{}: stored statistics (metric '{}', slice "
                        "{}): {}",
                        experiment.name, key.metric, key.slice,
                        std::string(status.message())));
      }
    }
    if (!rows->empty()) {
      uint64_t decisions = 0;
      for (size_t a = 0; a < experiment.arms.size(); ++a) {
        decisions += ledger->Decisions(e, a);
      }
      spdlog::info("experiment {}: goes on in epoch {} with {} decisions",
                   experiment.name, experiment.epoch, decisions);
    }
  }
  return ledger;
}

void Bookkeeper::Use(std::unique_ptr<Ledger> ledger) {
  ledger_ = std::move(ledger);
  purges_.clear();
  old_epochs_.clear();
  const auto& experiments = ledger_->plan().experiments;
  for (size_t e = 0; e < experiments.size(); ++e) {
    for (const experiment::Metric& metric : experiments[e].metrics) {
      if (metric.source != experiment::MetricSource::kFeedback) continue;
      purges_.push_back({.study = StudyOf(e),
                         .metric = metric.name,
                         .window = metric.window});
    }
    if (experiments[e].epoch > 1) old_epochs_.push_back(StudyOf(e));
  }
}

store::Study Bookkeeper::StudyOf(size_t experiment) const {
  const experiment::Experiment& e = ledger_->plan().experiments[experiment];
  return {.experiment = e.name, .epoch = e.epoch};
}

void Bookkeeper::Count(const WorkerDelta& delta) {
  const experiment::Plan& plan = ledger_->plan();
  for (size_t i = 0; i < delta.experiments.size(); ++i) {
    const experiment::Experiment& then = delta.plan->experiments[i];
    const auto e = delta.plan.get() == &plan ? std::optional<size_t>(i)
                                             : SameExperiment(plan, then);
    if (!e) continue;
    ledger_->CountDecisions(*e, delta.experiments[i].slices);
    ledger_->AddMeasures(*e, delta.experiments[i]);
    const experiment::Experiment& now = plan.experiments[*e];
    if (!delta.experiments[i].builtin_reward.empty() &&
        now.metrics[now.reward_metric].name ==
            then.metrics[then.reward_metric].name) {
      ledger_->AddBuiltin(*e, delta.experiments[i].builtin_reward);
    }
  }
}

absl::StatusOr<std::vector<Verdict>> Bookkeeper::Settle(
    absl::Span<const Reward> rewards, absl::Time now,
    absl::Time counted_through, bool close_measures) {
  now_ = std::max(now_, now);
  ledger_->Mature(std::min(counted_through, now_));
  ledger_->CloseMeasures(now_, close_measures);
  std::vector<Verdict> verdicts;
  verdicts.reserve(rewards.size());
  for (const Reward& reward : rewards) {
    verdicts.push_back(ledger_->Judge(reward, now_));
  }
  if (rewards.empty() && !ledger_->HasChanges() && !PurgeIsDue(now_)) {
    return verdicts;
  }
  auto status = Transact(rewards, now_, absl::MakeSpan(verdicts));
  if (!status.ok()) {
    ledger_->Rollback();
    return status;
  }
  ledger_->Commit();
  return verdicts;
}

absl::Status Bookkeeper::Transact(absl::Span<const Reward> rewards,
                                  absl::Time now,
                                  absl::Span<Verdict> verdicts) {
  // One that only forgets may succeed where nothing can be written.
  if (!rewards.empty() || ledger_->HasChanges()) ++transactions_;
  auto begun = store_->Begin();
  if (!begun.ok()) return begun.status();
  store::Transaction& transaction = **begun;
  if (auto s = Enter(rewards, verdicts, &transaction); !s.ok()) return s;
  for (const Ledger::Change& change : ledger_->Changes()) {
    const store::Study study = StudyOf(change.experiment);
    auto status =
        change.value
            ? transaction.PutStatistics(study, change.key, *change.value)
            : transaction.DeleteStatistics(study, change.key);
    if (!status.ok()) return status;
  }
  bool forgotten = false;
  if (PurgeIsDue(now)) {
    auto done = Forget(now, &transaction);
    if (!done.ok()) return done.status();
    forgotten = *done;
  }
  if (auto status = transaction.Commit(); !status.ok()) return status;
  if (forgotten) old_epochs_.pop_back();
  return absl::OkStatus();
}

absl::Status Bookkeeper::Enter(absl::Span<const Reward> rewards,
                               absl::Span<Verdict> verdicts,
                               store::Transaction* transaction) {
  // By (experiment, metric), as the store takes ids; in order within.
  std::map<std::pair<size_t, size_t>, std::vector<size_t>> groups;
  for (size_t i = 0; i < rewards.size(); ++i) {
    if (verdicts[i].outcome == Outcome::kAccepted) {
      groups[{*verdicts[i].experiment, *verdicts[i].metric}].push_back(i);
    } else {
      ledger_->CountOutcome(verdicts[i], verdicts[i].outcome);
    }
  }
  for (const auto& [at, members] : groups) {
    std::vector<store::RewardId> ids;
    ids.reserve(members.size());
    for (const size_t i : members) {
      ids.push_back({.time_ms = rewards[i].decision.time_ms,
                     .decision = rewards[i].decision.id});
    }
    const std::string& metric =
        ledger_->plan().experiments[at.first].metrics[at.second].name;
    auto fresh = transaction->InsertRewards(StudyOf(at.first), metric, ids);
    if (!fresh.ok()) return fresh.status();
    for (size_t k = 0; k < members.size(); ++k) {
      const size_t i = members[k];
      if ((*fresh)[k]) {
        ledger_->Credit(rewards[i], verdicts[i]);
      } else {
        verdicts[i].outcome = Outcome::kDuplicate;
        ledger_->CountOutcome(verdicts[i], Outcome::kDuplicate);
      }
    }
  }
  return absl::OkStatus();
}

bool Bookkeeper::PurgeIsDue(absl::Time now) const {
  return !old_epochs_.empty() ||
         std::any_of(purges_.begin(), purges_.end(),
                     [&](const Purge& purge) { return purge.next <= now; });
}

absl::StatusOr<bool> Bookkeeper::Forget(absl::Time now,
                                        store::Transaction* transaction) {
  for (Purge& purge : purges_) {
    if (purge.next > now) continue;
    // A reward this old is late, so its id is asked for no more.
    const int64_t before_ms = absl::ToUnixMillis(now - purge.window);
    auto purged = transaction->PurgeRewards(purge.study, purge.metric,
                                            before_ms, kPurgeLimit);
    if (!purged.ok()) return purged.status();
    if (*purged < kPurgeLimit) purge.next = now + kPurgePause;
  }
  if (old_epochs_.empty()) return false;
  return transaction->PurgeEpochsBefore(old_epochs_.back(), kPurgeLimit);
}

}  // namespace bandit::learning
