// SPDX-License-Identifier: Apache-2.0
#include "router/learning/ledger.h"

#include <algorithm>
#include <cmath>

#include "router/learning/slice_sums.h"

namespace bandit::learning {
namespace {

using experiment::MetricSource;
using policies::StatisticsLayout;
using slice_sums::kContext;
using slice_sums::kCount;
using slice_sums::kInversePropensities;
using slice_sums::kPropensities;
using store::kTotal;

constexpr int32_t kDecisions = LedgerKey::kDecisions;

// A value's square, over a tiny propensity and summed, must stay finite.
constexpr double kLargestReward = 1e100;

bool Usable(const experiment::Metric& metric, double value) {
  if (!(std::abs(value) <= kLargestReward)) return false;  // Also NaN.
  if (metric.kind == policies::RewardKind::kBinary && value != 0 &&
      value != 1) {
    return false;
  }
  return value >= metric.min.value_or(-kLargestReward) &&
         value <= metric.max.value_or(kLargestReward);
}

}  // namespace

Ledger::Ledger(std::shared_ptr<const experiment::Plan> plan)
    : plan_(std::move(plan)) {
  for (const experiment::Experiment& e : plan_->experiments) {
    by_id_.emplace(e.id, books_.size());
    Book& book = books_.emplace_back();
    book.slice_ms = std::max<int64_t>(1, absl::ToInt64Milliseconds(e.slice));
    book.layout = e.layout();
    book.measures = MeasuresOf(e);
    book.waiting.resize(e.arms.size());
    book.zeros.resize(book.layout.size());
    for (const experiment::Metric& metric : e.metrics) {
      book.metrics.push_back(
          {.window_ms = absl::ToInt64Milliseconds(metric.window),
           .default_value = metric.source == MetricSource::kFeedback
                                ? metric.default_value
                                : std::nullopt});
    }
  }
}

LedgerRow Ledger::NewRow(const LedgerKey& key) const {
  const experiment::Experiment& e = plan_->experiments[key.experiment];
  const Book& book = books_[key.experiment];
  LedgerRow row;
  row.width = PolicyWidth(key) + MeasureWidth(key);
  if (key.metric >= 0) {
    const auto m = static_cast<size_t>(key.metric);
    if (book.metrics[m].default_value) {
      row.center = book.metrics[m].default_value;
    } else if (e.metrics[m].source != MetricSource::kFeedback ||
               e.metrics[m].kind == policies::RewardKind::kBinary) {
      row.center = 0;
    }
  }
  row.values.resize(row.width * e.arms.size());
  return row;
}

LedgerRow& Ledger::Settled(const LedgerKey& key) {
  return rows_.Settled(key, [&] { return NewRow(key); });
}

LedgerRow& Ledger::Staged(const LedgerKey& key) {
  return rows_.Staged(key, [&] { return NewRow(key); });
}

int64_t Ledger::SliceStart(size_t experiment, int64_t time_ms) const {
  const int64_t slice_ms = books_[experiment].slice_ms;
  // Stored starts must not look like kTotal.
  return std::max<int64_t>(0, time_ms) / slice_ms * slice_ms;
}

bool Ledger::HasMatured(size_t experiment, size_t metric, int64_t slice) const {
  const LedgerRow* total = rows_.Find(
      {.experiment = uint32_t(experiment), .metric = int32_t(metric)});
  return total != nullptr && slice < total->matured_before;
}

void Ledger::MarkChanged(size_t experiment, size_t metric) {
  if (metric != plan_->experiments[experiment].reward_metric) return;
  books_[experiment].progress.changed = true;
  books_[experiment].progress.only_fresh = false;
}

void Ledger::CountDecisions(size_t experiment,
                            absl::Span<const SliceDecisions> slices) {
  Book& book = books_[experiment];
  for (const SliceDecisions& slice : slices) {
    const int64_t start = SliceStart(experiment, slice.slice * book.slice_ms);
    const LedgerKey in_slice{.experiment = uint32_t(experiment),
                             .slice = start};
    bool waits = false;
    std::vector<size_t> matured;
    for (size_t m = 0; m < book.metrics.size(); ++m) {
      if (!book.metrics[m].default_value) continue;
      if (HasMatured(experiment, m, start)) {
        matured.push_back(m);
      } else {
        waits = true;
      }
    }
    for (size_t a = 0; a < slice.arms.size(); ++a) {
      const SliceDecisions::ArmDecisions& arm = slice.arms[a];
      if (arm.count == 0) continue;
      const auto count = static_cast<double>(arm.count);
      const auto add = [&](absl::Span<double> vector) {
        vector[kCount] += count;
        vector[kPropensities] += arm.propensity_sum;
        vector[kInversePropensities] += arm.inverse_propensity_sum;
      };
      add(Settled({.experiment = uint32_t(experiment)}).arm(a));
      if (waits) {
        const absl::Span<double> vector = Settled(in_slice).arm(a);
        add(vector);
        if (!arm.context.empty()) {
          AddTo(arm.context, vector.subspan(kContext, arm.context.size()));
        }
        AddTo(arm.measures, vector.last(book.measures.decision_size())
                                .first(arm.measures.size()));
        book.open_slices.insert(start);
      }
      for (const size_t m : matured) {
        LedgerRow& total =
            Settled({.experiment = uint32_t(experiment), .metric = int32_t(m)});
        slice_sums::AddDecisionsToTotal(
            book.layout, *book.metrics[m].default_value, count,
            arm.inverse_propensity_sum, arm.context, total.arm(a));
        AddTo(arm.measures,
              total.arm(a).subspan(book.layout.size(), arm.measures.size()));
        MarkChanged(experiment, m);
      }
    }
  }
}

void Ledger::AddBuiltin(size_t experiment,
                        absl::Span<const std::vector<double>> arms) {
  const size_t metric = plan_->experiments[experiment].reward_metric;
  for (size_t a = 0; a < arms.size(); ++a) {
    if (arms[a].empty() || arms[a][StatisticsLayout::kCount] == 0) continue;
    const absl::Span<double> total =
        Settled({.experiment = uint32_t(experiment), .metric = int32_t(metric)})
            .arm(a);
    AddTo(arms[a], total.first(arms[a].size()));
    MarkChanged(experiment, metric);
  }
}

void Ledger::Mature(absl::Time through) {
  const int64_t through_ms = absl::ToUnixMillis(through);
  for (size_t e = 0; e < books_.size(); ++e) {
    Book& book = books_[e];
    for (auto slice = book.open_slices.begin();
         slice != book.open_slices.end();) {
      bool waits = false;
      for (size_t m = 0; m < book.metrics.size(); ++m) {
        const MetricRule& rule = book.metrics[m];
        if (!rule.default_value || HasMatured(e, m, *slice)) continue;
        if (*slice + book.slice_ms + rule.window_ms <= through_ms) {
          MatureSlice(e, m, *slice);
        } else {
          waits = true;
        }
      }
      if (waits) {
        ++slice;
      } else {
        for (int32_t m = kDecisions; m < int32_t(book.metrics.size()); ++m) {
          rows_.Remove(
              {.experiment = uint32_t(e), .metric = m, .slice = *slice});
        }
        slice = book.open_slices.erase(slice);
      }
    }
  }
}

void Ledger::MatureSlice(size_t experiment, size_t metric, int64_t slice) {
  const Book& book = books_[experiment];
  const LedgerKey key{.experiment = uint32_t(experiment),
                      .metric = int32_t(metric),
                      .slice = slice};
  LedgerRow& total =
      Settled({.experiment = key.experiment, .metric = key.metric});
  total.matured_before = slice + 1;
  const LedgerRow* decisions =
      rows_.Find({.experiment = key.experiment, .slice = slice});
  const LedgerRow* rewards = rows_.Find(key);
  const std::vector<double> none(
      std::max(slice_sums::DecisionWidth(book.layout),
               slice_sums::RewardWidth(book.layout)) +
      book.measures.total_size());
  for (size_t a = 0; a < plan_->experiments[experiment].arms.size(); ++a) {
    const absl::Span<const double> d =
        decisions != nullptr ? decisions->arm(a) : absl::MakeConstSpan(none);
    const absl::Span<const double> r =
        rewards != nullptr ? rewards->arm(a) : absl::MakeConstSpan(none);
    // A killed router loses the decisions of its last tick, but not their
    // rewards: at least the rewarded decisions were made.
    slice_sums::AddDecisionsToTotal(
        book.layout, *book.metrics[metric].default_value,
        std::max(d[kCount], r[StatisticsLayout::kCount]),
        std::max(d[kInversePropensities], r[StatisticsLayout::kWeights]),
        d.subspan(kContext, slice_sums::DecisionWidth(book.layout) - kContext),
        total.arm(a));
    slice_sums::AddRewardsToTotal(book.layout, r, total.arm(a));
    const absl::Span<double> measures =
        total.arm(a).subspan(book.layout.size());
    const size_t decision_size = book.measures.decision_size();
    AddTo(d.subspan(slice_sums::DecisionWidth(book.layout), decision_size),
          measures.first(decision_size));
    AddTo(r.subspan(slice_sums::RewardWidth(book.layout),
                    book.measures.reward_size()),
          measures.subspan(decision_size));
  }
  MarkChanged(experiment, metric);
  rows_.Remove(key);
}

Verdict Ledger::Judge(const Reward& reward, absl::Time now) const {
  const experiment::Decision& decision = reward.decision;
  Verdict verdict;
  // Its decision was not found.
  if (!reward.request_id.empty()) return verdict;
  const auto found = by_id_.find(decision.experiment);
  if (found == by_id_.end()) return verdict;
  const experiment::Experiment& e = plan_->experiments[found->second];
  verdict.experiment = found->second;
  if (decision.epoch != e.epoch || decision.arm >= e.arms.size() ||
      decision.features.size() != e.features.dimension()) {
    return verdict;
  }
  verdict.outcome = Outcome::kRejected;
  size_t m = e.reward_metric;
  if (!reward.metric.empty()) {
    for (m = 0; m < e.metrics.size(); ++m) {
      if (e.metrics[m].name == reward.metric) break;
    }
  }
  if (m >= e.metrics.size()) return verdict;
  verdict.metric = m;
  // What the router measures by itself is not fed back.
  if (e.metrics[m].source != MetricSource::kFeedback ||
      !Usable(e.metrics[m], reward.value) ||
      !(decision.propensity > 0 && decision.propensity <= 1)) {
    return verdict;
  }
  const int64_t deadline_ms =
      decision.time_ms + books_[found->second].metrics[m].window_ms;
  verdict.outcome = absl::ToUnixMillis(now) > deadline_ms ? Outcome::kLate
                                                          : Outcome::kAccepted;
  return verdict;
}

void Ledger::Credit(const Reward& reward, const Verdict& verdict) {
  const size_t e = *verdict.experiment;
  const size_t m = *verdict.metric;
  const Book& book = books_[e];
  const experiment::Decision& decision = reward.decision;
  const LedgerKey total_key{.experiment = uint32_t(e), .metric = int32_t(m)};
  LedgerRow& total = Staged(total_key);
  ++total.outcomes[Index(Outcome::kAccepted)];
  const bool is_reward = m == plan_->experiments[e].reward_metric;
  if (!book.metrics[m].default_value) {
    if (!total.center) total.center = reward.value;
    policies::Accumulate(book.layout, *total.center,
                         {.reward = reward.value,
                          .propensity = decision.propensity,
                          .features = decision.features},
                         total.arm(decision.arm).first(book.layout.size()));
    const absl::Span<double> measures =
        total.arm(decision.arm).subspan(book.layout.size());
    AddDecision(book.measures, decision, measures);
    AddReward(book.measures, decision, reward.value - *total.center,
              measures.subspan(book.measures.decision_size()));
    if (is_reward && book.layout.dimension == 0) {
      staged_changed_.insert(e);
    } else if (is_reward) {
      staged_fresh_.emplace_back(e,
                                 FreshReward{.arm = decision.arm,
                                             .reward = reward.value,
                                             .propensity = decision.propensity,
                                             .features = decision.features});
    }
    return;
  }
  const double y = reward.value - *total.center;
  const int64_t slice = SliceStart(e, decision.time_ms);
  if (slice >= total.matured_before) {
    LedgerRow& row = Staged({.experiment = total_key.experiment,
                             .metric = total_key.metric,
                             .slice = slice});
    slice_sums::AddReward(y, decision.propensity, decision.features,
                          row.arm(decision.arm));
    AddReward(
        book.measures, decision, y,
        row.arm(decision.arm).subspan(slice_sums::RewardWidth(book.layout)));
    return;
  }
  // The slices were longer when this one was taken into the total.
  std::vector<double> rewards(slice_sums::RewardWidth(book.layout));
  slice_sums::AddReward(y, decision.propensity, decision.features,
                        absl::MakeSpan(rewards));
  slice_sums::AddRewardsToTotal(book.layout, rewards, total.arm(decision.arm));
  AddReward(book.measures, decision, y,
            total.arm(decision.arm)
                .subspan(book.layout.size() + book.measures.decision_size()));
  if (is_reward) staged_changed_.insert(e);
}

void Ledger::CountOutcome(const Verdict& verdict, Outcome outcome) {
  if (!verdict.experiment || !verdict.metric) return;
  LedgerRow& total = Staged({.experiment = uint32_t(*verdict.experiment),
                             .metric = int32_t(*verdict.metric)});
  ++total.outcomes[Index(outcome)];
}

void Ledger::Commit() {
  for (const LedgerKey& key : rows_.Commit()) {
    if (key.slice != kTotal) {
      books_[key.experiment].open_slices.insert(key.slice);
    }
  }
  for (auto& [e, fresh] : staged_fresh_) {
    Progress& progress = books_[e].progress;
    progress.changed = true;
    if (progress.fresh.size() < kMostFresh) {
      progress.fresh.push_back(std::move(fresh));
    } else {
      progress.only_fresh = false;
    }
  }
  for (const size_t e : staged_changed_) {
    books_[e].progress.changed = true;
    books_[e].progress.only_fresh = false;
  }
  staged_fresh_.clear();
  staged_changed_.clear();
}

void Ledger::Rollback() {
  rows_.Rollback();
  staged_fresh_.clear();
  staged_changed_.clear();
}

uint64_t Ledger::Decisions(size_t experiment, size_t arm) const {
  const LedgerRow* row = rows_.Find({.experiment = uint32_t(experiment)});
  return row == nullptr ? 0 : static_cast<uint64_t>(row->arm(arm)[kCount]);
}

double Ledger::Center(size_t experiment, size_t metric) const {
  const LedgerRow* row = rows_.Find(
      {.experiment = uint32_t(experiment), .metric = int32_t(metric)});
  return row == nullptr ? 0 : row->center.value_or(0);
}

absl::Span<const double> Ledger::Total(size_t experiment, size_t metric,
                                       size_t arm) const {
  const LedgerRow* row = rows_.Find(
      {.experiment = uint32_t(experiment), .metric = int32_t(metric)});
  return row == nullptr ? absl::MakeConstSpan(books_[experiment].zeros)
                        : row->arm(arm).first(books_[experiment].layout.size());
}

std::array<uint64_t, kOutcomes> Ledger::Outcomes(size_t experiment,
                                                 size_t metric) const {
  const LedgerRow* row = rows_.Find(
      {.experiment = uint32_t(experiment), .metric = int32_t(metric)});
  return row == nullptr ? std::array<uint64_t, kOutcomes>{} : row->outcomes;
}

Progress Ledger::TakeProgress(size_t experiment) {
  return std::exchange(books_[experiment].progress, Progress{});
}

}  // namespace bandit::learning
