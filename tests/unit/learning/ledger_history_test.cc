// SPDX-License-Identifier: Apache-2.0
// Random histories of decisions, rewards, duplicates, failures and restarts
// against a recomputation from the list of events. Values, propensities and
// features are dyadic, so every sum is exact and must be equal.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "gtest/gtest.h"
#include "router/learning/bookkeeper.h"
#include "router/store/memory_store.h"
#include "router/store/sqlite_store.h"
#include "tests/unit/learning/faulty_store.h"
#include "tests/unit/learning/test_plan.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::learning {
namespace {

using bandit::testing::Click;
using bandit::testing::ExperimentSpec;
using bandit::testing::MakeDecision;
using bandit::testing::MakePlan;
using bandit::testing::Rating;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr size_t kArms = 3;
constexpr int64_t kSliceMs = 1000;

ExperimentSpec Spec() {
  experiment::Metric spend = Rating(absl::Seconds(5));
  spend.name = "spend";
  spend.default_value = 2;
  return {.arms = {"a", "b", "c"},
          .metrics = {Click(), Rating(), spend},
          .features = 2,
          .slice = absl::Milliseconds(kSliceMs)};
}

// What happened, and the sums it should lead to.
class Events {
 public:
  explicit Events(const experiment::Experiment& experiment)
      : experiment_(experiment) {}

  void Decided(const experiment::Decision& decision) {
    decided_.push_back(decision);
  }
  // The decisions so far are in the store.
  void Written() { written_ = decided_.size(); }
  // What was not written is lost.
  void Killed() { decided_.resize(written_); }

  Outcome Expect(const Reward& reward, int64_t now_ms) const {
    if (reward.decision.epoch != experiment_.epoch) return Outcome::kUnknown;
    const size_t m = MetricOf(reward);
    if (m == experiment_.metrics.size()) return Outcome::kRejected;
    if (reward.value > 5) return Outcome::kRejected;
    if (now_ms > reward.decision.time_ms +
                     absl::ToInt64Milliseconds(experiment_.metrics[m].window)) {
      return Outcome::kLate;
    }
    return ids_.contains({m, reward.decision.id}) ? Outcome::kDuplicate
                                                  : Outcome::kAccepted;
  }
  void Accepted(const Reward& reward) {
    ids_.insert({MetricOf(reward), reward.decision.id});
    rewards_.push_back(reward);
  }
  size_t accepted() const { return rewards_.size(); }

  // A metric's vector once every window has passed.
  std::vector<double> Total(size_t m, uint32_t arm) const {
    const policies::StatisticsLayout layout = experiment_.layout();
    std::vector<double> total(layout.size());
    const auto& fallback = experiment_.metrics[m].default_value;
    // Per slice: decisions, their weight, rewarded, their weight.
    std::map<int64_t, std::array<double, 4>> slices;
    const auto outer = [&](const experiment::Decision& d) {
      size_t at = policies::StatisticsLayout::kGram;
      for (size_t i = 0; i < layout.dimension; ++i) {
        for (size_t j = 0; j <= i; ++j) {
          total[at++] += d.features[i] * d.features[j];
        }
      }
    };
    const auto response = [&](const experiment::Decision& d, double r) {
      for (size_t i = 0; i < layout.dimension; ++i) {
        total[layout.response() + i] += r * d.features[i];
      }
    };
    if (fallback) {
      for (const experiment::Decision& d : decided_) {
        if (d.arm != arm) continue;
        slices[d.time_ms / kSliceMs][0] += 1;
        slices[d.time_ms / kSliceMs][1] += 1 / d.propensity;
        outer(d);
        response(d, *fallback);
      }
    }
    for (const Reward& reward : rewards_) {
      const experiment::Decision& d = reward.decision;
      if (d.arm != arm || MetricOf(reward) != m) continue;
      const double y = reward.value - fallback.value_or(center_);
      const double w = y / d.propensity;
      total[1] += y;
      total[2] += y * y;
      total[4] += w;
      total[5] += w * w;
      slices[d.time_ms / kSliceMs][2] += 1;
      slices[d.time_ms / kSliceMs][3] += 1 / d.propensity;
      if (!fallback) outer(d);
      response(d, fallback ? y : reward.value);
    }
    for (const auto& [slice, sums] : slices) {
      total[0] += std::max(sums[0], sums[2]);
      total[3] += std::max(sums[1], sums[3]);
    }
    return total;
  }

  void set_center(double center) { center_ = center; }

 private:
  size_t MetricOf(const Reward& reward) const {
    if (reward.metric.empty()) return experiment_.reward_metric;
    size_t m = 0;
    while (m < experiment_.metrics.size() &&
           experiment_.metrics[m].name != reward.metric) {
      ++m;
    }
    return m;
  }

  const experiment::Experiment& experiment_;
  std::vector<experiment::Decision> decided_;
  size_t written_ = 0;
  std::vector<Reward> rewards_;
  std::set<std::pair<size_t, uint64_t>> ids_;
  double center_ = 0;
};

class History {
 public:
  History(uint64_t seed, store::StateStore* store)
      : random_(seed),
        plan_(MakePlan({Spec()})),
        store_(store),
        events_(plan_->experiments[0]) {
    Restart();
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      now_ms_ += Below(400);
      switch (Below(8)) {
        case 0:
        case 1:
        case 2:
          for (size_t n = Below(5); n > 0; --n) Decide();
          break;
        case 3:
          Harvest();
          break;
        case 4:
        case 5:
        case 6:
          Settle();
          break;
        case 7:
          if (Below(12) == 0) {
            Restart();
          } else if (Below(6) == 0) {
            Adopt();
          }
      }
    }
    now_ms_ += 1'000'000;
    Harvest();
    Settle(/*may_fail=*/false);
  }

  void Check() {
    const Ledger& ledger = bookkeeper_->ledger();
    events_.set_center(ledger.Center(0, 1));
    for (size_t m = 0; m < 3; ++m) {
      for (uint32_t arm = 0; arm < kArms; ++arm) {
        const auto total = ledger.Total(0, m, arm);
        EXPECT_EQ(std::vector<double>(total.begin(), total.end()),
                  events_.Total(m, arm))
            << "metric " << m << " arm " << arm;
      }
    }
    EXPECT_EQ(ledger.OpenSlices(0), 0u);
  }

  // What the store holds is what the ledger has.
  void CheckRestored() {
    Restart();
    Check();
  }

  size_t accepted() const { return events_.accepted(); }
  int failures() const { return failures_; }
  int restarts() const { return restarts_; }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }

  void Decide() {
    const double propensities[] = {1, 0.5, 0.25};
    const auto decision = MakeDecision(
        *plan_, 0, static_cast<uint32_t>(Below(kArms)), now_ms_, random_(),
        propensities[Below(3)],
        {1, static_cast<float>(Below(4)), static_cast<float>(Below(4))});
    workers_->OnDecision(0, decision);
    pending_.push_back(decision);
    made_.push_back(decision);
  }

  void Harvest() {
    bookkeeper_->Count(*workers_->Take());
    for (const auto& decision : pending_) events_.Decided(decision);
    pending_.clear();
    counted_through_ms_ = now_ms_;
  }

  Reward Draw() {
    Reward reward{
        .decision =
            made_[made_.size() - 1 - Below(std::min<size_t>(made_.size(), 60))],
        .metric = "",
        .value = static_cast<double>(Below(2))};
    const char* metrics[] = {"", "click", "rating", "spend", "made up"};
    reward.metric = metrics[Below(5)];
    if (reward.metric == "rating" || reward.metric == "spend") {
      reward.value = static_cast<double>(Below(7));  // 6 is out of range.
    }
    if (Below(20) == 0) ++reward.decision.epoch;
    return reward;
  }

  void Settle(bool may_fail = true) {
    std::vector<Reward> rewards;
    if (!made_.empty()) {
      for (size_t n = Below(6); n > 0; --n) rewards.push_back(Draw());
    }
    if (may_fail && Below(3) == 0) {
      faults_->calls_left = static_cast<int>(Below(12));
    }
    const auto verdicts =
        bookkeeper_->Settle(rewards, absl::FromUnixMillis(now_ms_),
                            absl::FromUnixMillis(counted_through_ms_));
    faults_->calls_left = -1;
    if (!verdicts.ok()) {
      ++failures_;
      EXPECT_EQ(verdicts.status().code(), absl::StatusCode::kUnavailable);
      return;
    }
    events_.Written();
    ASSERT_EQ(verdicts->size(), rewards.size());
    // Within one batch the store goes metric by metric, each in order, and
    // duplicates are of one metric.
    for (size_t i = 0; i < rewards.size(); ++i) {
      ASSERT_EQ((*verdicts)[i].outcome, events_.Expect(rewards[i], now_ms_));
      if ((*verdicts)[i].outcome == Outcome::kAccepted) {
        events_.Accepted(rewards[i]);
      }
    }
  }

  void Restart() {
    ++restarts_;
    pending_.clear();
    events_.Killed();
    faulty_ = std::make_unique<bandit::testing::FaultyStore>(store_, faults_);
    auto opened =
        Bookkeeper::Open(faulty_.get(), plan_, {{"ranker", {1, "same"}}}, kNow);
    ASSERT_TRUE(opened.ok()) << opened.status();
    bookkeeper_ = *std::move(opened);
    workers_ = std::make_unique<WorkerStatistics>(plan_);
  }

  // The same experiment in another plan; the workers still have the old one.
  void Adopt() {
    ASSERT_TRUE(
        bookkeeper_->Adopt(MakePlan({{.name = "other"}, Spec()}), {}, kNow)
            .ok());
    ASSERT_TRUE(bookkeeper_->Adopt(plan_, {}, kNow).ok());
  }

  std::mt19937_64 random_;
  std::shared_ptr<const experiment::Plan> plan_;
  store::StateStore* store_;
  std::shared_ptr<bandit::testing::Faults> faults_ =
      std::make_shared<bandit::testing::Faults>();
  std::unique_ptr<bandit::testing::FaultyStore> faulty_;
  std::unique_ptr<Bookkeeper> bookkeeper_;
  std::unique_ptr<WorkerStatistics> workers_;
  Events events_;
  std::vector<experiment::Decision> pending_;  // Not harvested.
  std::vector<experiment::Decision> made_;
  int64_t now_ms_ = 1'700'000'000'000;
  int64_t counted_through_ms_ = now_ms_;
  int failures_ = 0;
  int restarts_ = 0;
};

TEST(LedgerHistoryTest, SumsEqualARecomputationFromTheEvents) {
  size_t accepted = 0;
  int failures = 0, restarts = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    const auto store = store::MakeMemoryStore();
    History history(seed, store.get());
    history.Run(600);
    history.Check();
    history.CheckRestored();
    accepted += history.accepted();
    failures += history.failures();
    restarts += history.restarts();
    if (::testing::Test::HasFailure()) break;
  }
  // The histories held what they are to test.
  EXPECT_GT(accepted, 5'000u);
  EXPECT_GT(failures, 500);
  EXPECT_GT(restarts, 200);
}

TEST(LedgerHistoryTest, TheSameHoldsOverAFile) {
  for (uint64_t seed = 100; seed < 103; ++seed) {
    SCOPED_TRACE(seed);
    bandit::testing::TemporaryDirectory files;
    auto store = store::OpenSqliteStore(files.File("state.db"));
    ASSERT_TRUE(store.ok());
    History history(seed, store->get());
    history.Run(400);
    history.CheckRestored();
  }
}

}  // namespace
}  // namespace bandit::learning
