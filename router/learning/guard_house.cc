// SPDX-License-Identifier: Apache-2.0
#include "router/learning/guard_house.h"

#include <utility>

#include "fmt/format.h"
#include "policies/statistics.h"
#include "router/learning/guard_record.h"
#include "spdlog/spdlog.h"

namespace bandit::learning {
namespace {

using experiment::MetricSource;
using guardrails::ArmTotals;
using guardrails::ExperimentGuard;
using guardrails::Measure;
using policies::StatisticsLayout;

// Of the store's notes.
constexpr std::string_view kPart = "guardrails";

// What answers for the arm: what it did before says nothing of another.
std::string IdentityOf(const experiment::Plan& plan,
                       const experiment::Arm& arm) {
  std::string identity = arm.backend == experiment::kNoBackend
                             ? ""
                             : plan.backends[arm.backend].name;
  for (const auto& [key, value] : arm.metadata) {
    identity += fmt::format(" {}={}", key, value);
  }
  if (arm.model.has_value()) {
    identity += fmt::format(" {} {}", arm.model->name, arm.model->version);
  }
  return identity;
}

guardrails::GuardSetup SetupOf(const experiment::Plan& plan,
                               const experiment::Experiment& e) {
  guardrails::GuardSetup setup{.experiment = e.name,
                               .arms = {},
                               .control = e.control,
                               .rules = {},
                               .probation = e.probation};
  for (const experiment::Arm& arm : e.arms) {
    setup.arms.push_back({arm.name, IdentityOf(plan, arm)});
  }
  for (const experiment::Guardrail& guardrail : e.guardrails) {
    setup.rules.push_back(guardrail.rule);
  }
  return setup;
}

}  // namespace

absl::StatusOr<GuardHouse::Kept> GuardHouse::Load(
    const experiment::Plan& plan) const {
  Kept kept;
  const auto notes = store_->Notes(kPart);
  if (!notes.ok()) return notes.status();
  for (const experiment::Experiment& e : plan.experiments) {
    bool known = false;
    for (const ExperimentGuard& guard : guards_) {
      known |= guard.setup().experiment == e.name;
    }
    if (known) continue;
    const auto note = notes->find(e.name);
    if (note == notes->end()) continue;
    auto state = DecodeGuard(note->second);
    if (!state.ok()) {
      return absl::Status(
          state.status().code(),
          fmt::format("experiments.{}: what is stored of its guardrails {}",
                      e.name, std::string(state.status().message())));
    }
    kept.emplace(e.name, *std::move(state));
  }
  return kept;
}

void GuardHouse::Use(const std::shared_ptr<const experiment::Plan>& plan,
                     const Ledger& ledger, const Kept& kept, absl::Time now) {
  Kept before = kept;
  for (size_t i = 0; i < guards_.size(); ++i) {
    before[guards_[i].setup().experiment] = guards_[i].State(totals_[i]);
  }
  plan_ = plan;
  guards_.clear();
  totals_.clear();
  for (size_t e = 0; e < plan->experiments.size(); ++e) {
    const experiment::Experiment& experiment = plan->experiments[e];
    ArmTotals nothing;
    nothing.rules.resize(experiment.guardrails.size());
    totals_.emplace_back(experiment.arms.size(), nothing);
    ReadLedger(ledger, e);
    guards_.emplace_back(SetupOf(*plan, experiment), before[experiment.name],
                         totals_[e], now);
  }
  changed_ = true;
}

void GuardHouse::Count(const WorkerDelta& delta) {
  if (delta.plan != plan_) return;
  for (size_t e = 0; e < delta.experiments.size(); ++e) {
    const experiment::Experiment& experiment = plan_->experiments[e];
    if (experiment.guardrails.empty()) continue;
    const ExperimentDelta& counts = delta.experiments[e];
    for (size_t a = 0; a < experiment.arms.size(); ++a) {
      const CallCounts& calls = counts.arms[a];
      if (calls.finished == 0) continue;
      counted_ = true;
      ArmTotals& arm = totals_[e][a];
      arm.finished += static_cast<double>(calls.finished);
      for (size_t r = 0; r < experiment.guardrails.size(); ++r) {
        const experiment::Guardrail& guardrail = experiment.guardrails[r];
        if (guardrail.source == MetricSource::kFeedback) continue;
        const auto& from = counts.guardrails[r * experiment.arms.size() + a];
        guardrails::Sums& sums = arm.rules[r];
        sums.count += from.count;
        sums.sum += from.sum;
        sums.squares += from.squares;
        if (guardrail.rule.measure != Measure::kQuantile) continue;
        sums.histogram.Add(guardrail.source == MetricSource::kTtfbMs
                               ? calls.ttfb.Cells()
                               : calls.latency.Cells());
      }
    }
  }
}

void GuardHouse::ReadLedger(const Ledger& ledger, size_t e) {
  const experiment::Experiment& experiment = plan_->experiments[e];
  for (size_t r = 0; r < experiment.guardrails.size(); ++r) {
    const experiment::Guardrail& guardrail = experiment.guardrails[r];
    if (guardrail.source != MetricSource::kFeedback) continue;
    for (size_t a = 0; a < experiment.arms.size(); ++a) {
      const auto total = ledger.Total(e, guardrail.metric, a);
      guardrails::Sums& sums = totals_[e][a].rules[r];
      counted_ |= sums.count != total[StatisticsLayout::kCount];
      sums.count = total[StatisticsLayout::kCount];
      sums.sum = total[StatisticsLayout::kSum];
      sums.squares = total[StatisticsLayout::kSquares];
      sums.origin = ledger.Center(e, guardrail.metric);
    }
  }
}

std::vector<guardrails::Transition> GuardHouse::Tick(const Ledger& ledger,
                                                     absl::Time now) {
  std::vector<guardrails::Transition> all;
  for (size_t e = 0; e < guards_.size(); ++e) {
    if (plan_->experiments[e].guardrails.empty()) continue;
    ReadLedger(ledger, e);
    for (guardrails::Transition& one : guards_[e].Tick(totals_[e], now)) {
      all.push_back(std::move(one));
    }
  }
  changed_ |= !all.empty();
  return all;
}

absl::StatusOr<guardrails::Transition> GuardHouse::Reinstate(
    std::string_view experiment, const Ledger& ledger, std::string why,
    absl::Time now) {
  for (size_t e = 0; e < guards_.size(); ++e) {
    if (guards_[e].setup().experiment != experiment) continue;
    ReadLedger(ledger, e);
    changed_ = true;
    return guards_[e].Reinstate(totals_[e], std::move(why), now);
  }
  return absl::NotFoundError(
      fmt::format("no experiment is named {}", experiment));
}

std::string GuardHouse::WhyHeld(std::string_view experiment) const {
  for (const guardrails::ExperimentGuard& guard : guards_) {
    if (guard.setup().experiment != experiment || !guard.hold()) continue;
    return guard.rolled_back()
               ? fmt::format("guardrails rolled it back: {}",
                             guard.rolled_back_why())
               : "a guardrail holds it, or an arm is out or on probation";
  }
  return "";
}

absl::Status GuardHouse::Save(const Ledger& ledger, absl::Time now, bool last) {
  const bool wanted = changed_ || (counted_ && (last || now >= next_save_));
  if (!wanted || (!last && now < retry_)) return saved_;
  next_save_ = now + kSavePause;
  saved_ = Write(ledger);
  if (saved_.ok()) {
    retry_ = absl::InfinitePast();
    changed_ = counted_ = false;
  } else {
    retry_ = next_save_;
  }
  return saved_;
}

absl::Status GuardHouse::Write(const Ledger& ledger) {
  std::unique_ptr<store::Transaction> transaction;
  for (size_t e = 0; e < guards_.size(); ++e) {
    if (plan_->experiments[e].guardrails.empty()) continue;
    if (transaction == nullptr) {
      auto begun = store_->Begin();
      if (!begun.ok()) return begun.status();
      transaction = *std::move(begun);
    }
    ReadLedger(ledger, e);
    auto status = transaction->PutNote(plan_->experiments[e].name, kPart,
                                       Encode(guards_[e].State(totals_[e])));
    if (!status.ok()) return status;
  }
  return transaction != nullptr ? transaction->Commit() : absl::OkStatus();
}

void LogTransition(const guardrails::Transition& transition) {
  const std::string about =
      transition.arm.empty()
          ? fmt::format("experiment {}", transition.experiment)
          : fmt::format("experiment {}, arm {}", transition.experiment,
                        transition.arm);
  const bool good = transition.event == guardrails::Event::kProbation ||
                    transition.event == guardrails::Event::kActive ||
                    transition.event == guardrails::Event::kRelease ||
                    transition.event == guardrails::Event::kReinstated;
  spdlog::log(good ? spdlog::level::info : spdlog::level::warn,
              "guardrail: {}: {}{}{}: {}", about,
              guardrails::Name(transition.event),
              transition.rule.empty() ? "" : " by ", transition.rule,
              transition.reason);
}

}  // namespace bandit::learning
