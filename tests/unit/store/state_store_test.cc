// SPDX-License-Identifier: Apache-2.0
// The contract of state_store.h, held by every store.
#include "router/store/state_store.h"

#include <map>
#include <random>
#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/store/temporary_directory.h"

namespace bandit::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const Study kRanker{.experiment = "ranker", .epoch = 2};

class StateStoreTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { Reopen(); }

  // What is durable is what a new process sees; memory: keeps its object.
  void Reopen() {
    if (store_ != nullptr && GetParam() == "memory:") return;
    store_.reset();
    auto opened =
        Open(GetParam() == "memory:" ? GetParam() : files_.StateUri());
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  std::unique_ptr<Transaction> Begin() {
    auto transaction = store_->Begin();
    EXPECT_TRUE(transaction.ok()) << transaction.status();
    return *std::move(transaction);
  }

  std::vector<bool> Insert(Transaction& t, std::vector<RewardId> ids,
                           const std::string& metric = "click",
                           const Study& study = kRanker) {
    auto fresh = t.InsertRewards(study, metric, ids);
    EXPECT_TRUE(fresh.ok()) << fresh.status();
    return *fresh;
  }

  // Whether the id is in the store, asked without leaving a trace.
  bool Has(RewardId id, const std::string& metric = "click",
           const Study& study = kRanker) {
    auto transaction = Begin();
    return !Insert(*transaction, {id}, metric, study)[0];
  }

  bandit::testing::TemporaryDirectory files_;
  std::unique_ptr<StateStore> store_;
};

TEST_P(StateStoreTest, AnIdIsFreshOnceEvenWithinOneBatch) {
  auto first = Begin();
  EXPECT_THAT(Insert(*first, {{10, 1}, {10, 2}, {10, 1}}),
              ElementsAre(true, true, false));
  ASSERT_TRUE(first->Commit().ok());
  first.reset();
  Reopen();
  auto second = Begin();
  EXPECT_THAT(Insert(*second, {{10, 2}, {11, 2}}), ElementsAre(false, true));
}

TEST_P(StateStoreTest, MetricsEpochsAndExperimentsDoNotShareIds) {
  auto t = Begin();
  Insert(*t, {{10, 1}});
  EXPECT_THAT(Insert(*t, {{10, 1}}, "sale"), ElementsAre(true));
  EXPECT_THAT(Insert(*t, {{10, 1}}, "click", {"ranker", 3}), ElementsAre(true));
  EXPECT_THAT(Insert(*t, {{10, 1}}, "click", {"other", 2}), ElementsAre(true));
}

TEST_P(StateStoreTest, IdsUseAll64Bits) {
  auto t = Begin();
  Insert(*t, {{10, ~uint64_t{0}}, {10, uint64_t{1} << 63}});
  EXPECT_THAT(Insert(*t, {{10, ~uint64_t{0}}, {10, 0}}),
              ElementsAre(false, true));
}

TEST_P(StateStoreTest, WithoutCommitNothingHappened) {
  {
    auto t = Begin();
    Insert(*t, {{10, 1}});
    ASSERT_TRUE(t->PutStatistics(kRanker, {"click", kTotal}, "x").ok());
    ASSERT_TRUE(t->PutExperiment("ranker", {2, "f"}).ok());
    ASSERT_TRUE(t->PutTokenKey("secret").ok());
  }
  EXPECT_FALSE(Has({10, 1}));
  EXPECT_THAT(*store_->Statistics(kRanker), IsEmpty());
  EXPECT_THAT(*store_->Experiments(), IsEmpty());
  EXPECT_EQ(*store_->TokenKey(), std::nullopt);
  // The scope of ids was rolled back with the rest and must be made again.
  auto t = Begin();
  Insert(*t, {{10, 1}});
  ASSERT_TRUE(t->Commit().ok());
  t.reset();
  Reopen();
  EXPECT_TRUE(Has({10, 1}));
}

TEST_P(StateStoreTest, ARollbackRestoresWhatWasReplacedAndDeleted) {
  auto first = Begin();
  Insert(*first, {{10, 1}});
  ASSERT_TRUE(first->PutStatistics(kRanker, {"click", 100}, "old").ok());
  ASSERT_TRUE(first->PutStatistics(kRanker, {"click", kTotal}, "old").ok());
  ASSERT_TRUE(first->Commit().ok());
  first.reset();
  {
    auto t = Begin();
    ASSERT_TRUE(t->PutStatistics(kRanker, {"click", kTotal}, "new").ok());
    ASSERT_TRUE(t->PutStatistics(kRanker, {"click", kTotal}, "newer").ok());
    ASSERT_TRUE(t->DeleteStatistics(kRanker, {"click", 100}).ok());
    ASSERT_TRUE(t->PurgeRewards(kRanker, "click", 1000, 10).ok());
  }
  EXPECT_THAT(*store_->Statistics(kRanker),
              ElementsAre(Pair(StatisticsKey{"click", kTotal}, "old"),
                          Pair(StatisticsKey{"click", 100}, "old")));
  EXPECT_TRUE(Has({10, 1}));
}

TEST_P(StateStoreTest, StatisticsAreReplacedDeletedAndKeepTheirBytes) {
  const std::string bytes("\0\xff\n\0", 4);
  auto t = Begin();
  ASSERT_TRUE(t->PutStatistics(kRanker, {"", kTotal}, "first").ok());
  ASSERT_TRUE(t->PutStatistics(kRanker, {"", kTotal}, bytes).ok());
  ASSERT_TRUE(t->PutStatistics(kRanker, {"click", 5}, "").ok());
  ASSERT_TRUE(t->PutStatistics(kRanker, {"click", 6}, "gone").ok());
  ASSERT_TRUE(t->PutStatistics({"ranker", 1}, {"", kTotal}, "other").ok());
  ASSERT_TRUE(t->DeleteStatistics(kRanker, {"click", 6}).ok());
  ASSERT_TRUE(t->DeleteStatistics(kRanker, {"never", 6}).ok());
  ASSERT_TRUE(t->Commit().ok());
  t.reset();
  Reopen();
  EXPECT_THAT(*store_->Statistics(kRanker),
              ElementsAre(Pair(StatisticsKey{"", kTotal}, bytes),
                          Pair(StatisticsKey{"click", 5}, "")));
}

// Under its name, beside the store's own keys, and only if it is committed.
TEST_P(StateStoreTest, ExperimentsAndTheTokenKeySurvive) {
  auto t = Begin();
  ASSERT_TRUE(t->PutExperiment("ranker", {1, "old"}).ok());
  ASSERT_TRUE(t->PutExperiment("ranker", {2, "new"}).ok());
  ASSERT_TRUE(t->PutExperiment("other", {7, ""}).ok());
  ASSERT_TRUE(t->PutTokenKey(std::string("\0key", 4)).ok());
  ASSERT_TRUE(t->Commit().ok());
  t.reset();
  Reopen();
  EXPECT_THAT(*store_->Experiments(),
              ElementsAre(Pair("other", ExperimentRecord{7, ""}),
                          Pair("ranker", ExperimentRecord{2, "new"})));
  EXPECT_EQ(*store_->TokenKey(), std::string("\0key", 4));
}

TEST_P(StateStoreTest, NotesAreKeptByPartAndExperiment) {
  {
    auto t = Begin();
    ASSERT_TRUE(t->PutNote("ranker", "lifecycle", "old").ok());
    ASSERT_TRUE(t->PutNote("ranker", "lifecycle", std::string("a\0b", 3)).ok());
    ASSERT_TRUE(t->PutNote("other", "lifecycle", "c").ok());
    ASSERT_TRUE(t->PutNote("ranker", "guards", "d").ok());
    ASSERT_TRUE(t->Commit().ok());
  }
  {
    auto undone = Begin();
    ASSERT_TRUE(undone->PutNote("ranker", "lifecycle", "undone").ok());
  }
  Reopen();
  EXPECT_THAT(
      *store_->Notes("lifecycle"),
      ElementsAre(Pair("other", "c"), Pair("ranker", std::string("a\0b", 3))));
  EXPECT_THAT(*store_->Notes("guards"), ElementsAre(Pair("ranker", "d")));
  EXPECT_THAT(*store_->Notes("none"), IsEmpty());
}

TEST_P(StateStoreTest, TheAuditLogIsAChainThatARollbackDoesNotBreak) {
  const auto append = [&](Transaction& t, const std::string& act) {
    auto entry = t.AppendAudit({.time_ms = 1700000000000,
                                .who = "ann",
                                .proven = true,
                                .act = act,
                                .experiment = "ranker",
                                .why = "because",
                                .detail = "a -> b"});
    EXPECT_TRUE(entry.ok()) << entry.status();
    return *entry;
  };
  AuditEntry first, second, third;
  {
    auto t = Begin();
    first = append(*t, "start");
    second = append(*t, "pause");
    ASSERT_TRUE(t->Commit().ok());
  }
  {
    auto undone = Begin();
    EXPECT_EQ(append(*undone, "conclude").sequence, 3);
  }
  Reopen();
  {
    auto t = Begin();
    third = append(*t, "resume");
    ASSERT_TRUE(t->Commit().ok());
  }
  Reopen();
  EXPECT_THAT(*store_->Audit(0, 100), ElementsAre(first, second, third));
  EXPECT_THAT(*store_->Audit(1, 1), ElementsAre(second));
  EXPECT_THAT(*store_->Audit(3, 100), IsEmpty());
  EXPECT_TRUE(VerifyAudit({}, *store_->Audit(0, 100)).ok());
  EXPECT_TRUE(VerifyAudit(first, *store_->Audit(1, 100)).ok());
}

TEST_P(StateStoreTest, PurgeTakesTheOldestUpToTheLimitAndNoneFromTheBound) {
  auto t = Begin();
  Insert(*t, {{1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}});
  Insert(*t, {{1, 1}}, "sale");
  auto some = t->PurgeRewards(kRanker, "click", 4, 1);
  ASSERT_TRUE(some.ok());
  EXPECT_GE(*some, 1u);
  EXPECT_LE(*some, 2u);
  ASSERT_TRUE(t->PurgeRewards(kRanker, "click", 4, 100).ok());
  EXPECT_EQ(*t->PurgeRewards(kRanker, "click", 4, 100), 0u);
  ASSERT_TRUE(t->Commit().ok());
  t.reset();
  EXPECT_FALSE(Has({3, 1}));
  EXPECT_TRUE(Has({4, 1}));
  EXPECT_TRUE(Has({5, 1}));
  EXPECT_TRUE(Has({1, 1}, "sale"));
}

TEST_P(StateStoreTest, EarlierEpochsAreForgottenInStepsButForTheirTotals) {
  auto t = Begin();
  std::vector<RewardId> ids;
  for (uint64_t i = 0; i < 100; ++i) ids.push_back({int64_t(i), i});
  Insert(*t, ids, "click", {"ranker", 1});
  Insert(*t, {{1, 1}});
  Insert(*t, {{1, 1}}, "click", {"other", 1});
  ASSERT_TRUE(t->PutStatistics({"ranker", 1}, {"", 5}, "slice").ok());
  ASSERT_TRUE(t->PutStatistics({"ranker", 1}, {"", kTotal}, "total").ok());
  ASSERT_TRUE(t->PutStatistics(kRanker, {"", 5}, "slice").ok());
  EXPECT_FALSE(*t->PurgeEpochsBefore(kRanker, 30));
  int steps = 1;
  while (!*t->PurgeEpochsBefore(kRanker, 30)) ASSERT_LT(++steps, 20);
  EXPECT_TRUE(*t->PurgeEpochsBefore(kRanker, 30));
  ASSERT_TRUE(t->Commit().ok());
  t.reset();
  Reopen();
  EXPECT_FALSE(Has({1, 1}, "click", {"ranker", 1}));
  EXPECT_TRUE(Has({1, 1}));
  EXPECT_TRUE(Has({1, 1}, "click", {"other", 1}));
  EXPECT_THAT(*store_->Statistics({"ranker", 1}),
              ElementsAre(Pair(StatisticsKey{"", kTotal}, "total")));
  EXPECT_THAT(*store_->Statistics(kRanker),
              ElementsAre(Pair(StatisticsKey{"", 5}, "slice")));
}

// Random transactions, some abandoned, against a plain set.
TEST_P(StateStoreTest, AgreesWithASetUnderRandomTransactions) {
  std::mt19937_64 random(7);
  std::set<RewardId> expected;
  for (int round = 0; round < 60; ++round) {
    auto t = Begin();
    std::set<RewardId> staged = expected;
    for (int call = 0; call < 3; ++call) {
      std::vector<RewardId> ids;
      for (int i = 0; i < 20; ++i) {
        ids.push_back({int64_t(random() % 10), random() % 40});
      }
      const std::vector<bool> fresh = Insert(*t, ids);
      for (size_t i = 0; i < ids.size(); ++i) {
        ASSERT_EQ(fresh[i], staged.insert(ids[i]).second);
      }
    }
    if (random() % 3 == 0) {
      const int64_t before = int64_t(random() % 6);
      ASSERT_TRUE(t->PurgeRewards(kRanker, "click", before, 1000).ok());
      std::erase_if(staged,
                    [&](const RewardId& id) { return id.time_ms < before; });
    }
    if (random() % 3 != 0) {
      ASSERT_TRUE(t->Commit().ok());
      expected = staged;
    }
    t.reset();
    if (round % 10 == 0) Reopen();
  }
  EXPECT_FALSE(expected.empty());
}

INSTANTIATE_TEST_SUITE_P(Stores, StateStoreTest,
                         ::testing::Values("memory:", "sqlite:"),
                         [](const auto& info) {
                           return info.param == "memory:" ? "Memory" : "Sqlite";
                         });

TEST(OpenTest, RefusesWhatNamesNoStore) {
  for (const std::string uri :
       {"", "state.db", "/var/state.db", "sqlite:state.db", "sqlite://state.db",
        "sqlite:///", "sqlite:///dir/", "postgres://host/db", "memory"}) {
    const auto store = Open(uri);
    EXPECT_EQ(store.status().code(), absl::StatusCode::kInvalidArgument) << uri;
    EXPECT_THAT(std::string(store.status().message()),
                ::testing::HasSubstr("expected"))
        << uri;
  }
}

}  // namespace
}  // namespace bandit::store
