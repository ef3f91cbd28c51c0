// SPDX-License-Identifier: Apache-2.0
// The ledger's sums for reports: see measures.h.
#include "router/learning/ledger.h"
#include "router/learning/slice_sums.h"

namespace bandit::learning {
namespace {

constexpr absl::Duration kMeasuresPause = absl::Seconds(1);

void AddLazily(absl::Span<const double> from, std::vector<double>* to) {
  if (from.empty()) return;
  to->resize(from.size());
  AddTo(from, absl::MakeSpan(*to));
}

}  // namespace

size_t Ledger::PolicyWidth(const LedgerKey& key) const {
  const policies::StatisticsLayout& layout = books_[key.experiment].layout;
  const bool total = key.slice == store::kTotal;
  if (key.metric == LedgerKey::kDecisions) {
    return total ? slice_sums::kContext : slice_sums::DecisionWidth(layout);
  }
  if (key.metric < 0) return 0;
  return total ? layout.size() : slice_sums::RewardWidth(layout);
}

size_t Ledger::MeasureWidth(const LedgerKey& key) const {
  const MeasureLayout& layout = books_[key.experiment].measures;
  const bool total = key.slice == store::kTotal;
  switch (key.metric) {
    case LedgerKey::kDecisions:
      return total ? assignment::kSize : layout.decision_size();
    case LedgerKey::kCalls:
      return CallsSize(layout);
    case LedgerKey::kLatency:
      return latency_cells::kSize;
    default:
      return total ? layout.total_size() : layout.reward_size();
  }
}

void Ledger::AddMeasures(size_t experiment, const ExperimentDelta& delta) {
  std::vector<Book::Waiting>& waiting = books_[experiment].waiting;
  for (size_t a = 0; a < waiting.size(); ++a) {
    AddLazily(delta.calls[a], &waiting[a].calls);
    AddLazily(delta.assignment[a], &waiting[a].assignment);
    if (delta.arms[a].latency.count() == 0) continue;
    waiting[a].latency.resize(latency_cells::kSize);
    latency_cells::Add(delta.arms[a].latency,
                       absl::MakeSpan(waiting[a].latency));
  }
}

void Ledger::CloseMeasures(absl::Time now, bool all) {
  if (!all && now < measures_closed_ + kMeasuresPause) return;
  measures_closed_ = now;
  for (size_t e = 0; e < books_.size(); ++e) {
    const auto close = [&](int32_t metric, size_t arm,
                           std::vector<double>* from) {
      if (from->empty()) return;
      const LedgerKey key{.experiment = uint32_t(e), .metric = metric};
      AddTo(*from, Settled(key).arm(arm).subspan(PolicyWidth(key)));
      from->clear();
    };
    for (size_t a = 0; a < books_[e].waiting.size(); ++a) {
      Book::Waiting& waiting = books_[e].waiting[a];
      close(LedgerKey::kCalls, a, &waiting.calls);
      close(LedgerKey::kDecisions, a, &waiting.assignment);
      close(LedgerKey::kLatency, a, &waiting.latency);
    }
  }
}

std::vector<double> Ledger::MeasuresIn(const LedgerKey& key, size_t arm) const {
  const LedgerRow* row = rows_.Find(key);
  if (row == nullptr) return std::vector<double>(MeasureWidth(key));
  const auto measures = row->arm(arm).subspan(PolicyWidth(key));
  return {measures.begin(), measures.end()};
}

std::vector<double> Ledger::Measures(size_t experiment, size_t metric,
                                     size_t arm) const {
  return MeasuresIn(
      {.experiment = uint32_t(experiment), .metric = int32_t(metric)}, arm);
}

std::vector<double> Ledger::Calls(size_t experiment, size_t arm) const {
  return MeasuresIn(
      {.experiment = uint32_t(experiment), .metric = LedgerKey::kCalls}, arm);
}

std::vector<double> Ledger::Assignment(size_t experiment, size_t arm) const {
  return MeasuresIn({.experiment = uint32_t(experiment)}, arm);
}

std::vector<double> Ledger::Latency(size_t experiment, size_t arm) const {
  return MeasuresIn(
      {.experiment = uint32_t(experiment), .metric = LedgerKey::kLatency}, arm);
}

}  // namespace bandit::learning
