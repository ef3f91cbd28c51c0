// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/history.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::dashboard {
namespace {

using ::testing::ElementsAre;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);
constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

absl::Time At(int i) { return kStart + absl::Seconds(2 * i); }

// The i-th point: i decisions, a latency of i ms.
Point PointAt(int i) {
  Point point{.time = At(i), .epoch = 1};
  ArmPoint& arm = point.arms.emplace_back();
  arm.decisions = static_cast<uint64_t>(i);
  arm.latency.fill(static_cast<float>(i));
  return point;
}

History::Entry EntryAt(int i, const std::string& name = "ranker",
                       const std::string& arm = "a") {
  return {
      .experiment = name, .arms = {arm}, .metrics = {}, .point = PointAt(i)};
}

std::vector<int> Decisions(const std::deque<Point>& points) {
  std::vector<int> decisions;
  for (const Point& point : points) {
    decisions.push_back(static_cast<int>(point.arms[0].decisions));
  }
  return decisions;
}

TEST(MergedTest, CountsAreTheLatersAndLatenciesTheLarger) {
  Point earlier = PointAt(1), later = PointAt(2);
  earlier.arms[0].latency = {9, 1, kNone};
  later.arms[0].latency = {3, kNone, kNone};
  const Point merged = Merged(earlier, later);
  EXPECT_EQ(merged.time, At(2));
  EXPECT_EQ(merged.arms[0].decisions, 2);
  EXPECT_EQ(merged.arms[0].latency[0], 9);
  EXPECT_EQ(merged.arms[0].latency[1], 1);
  EXPECT_TRUE(std::isnan(merged.arms[0].latency[2]));
}

TEST(SeriesTest, OlderPointsAreMergedByPairsWhenTheirRoomIsFull) {
  Series series;
  const Series::Room room{.recent = 2, .older = 4};
  for (int i = 1; i <= 6; ++i) series.Add(PointAt(i), room);
  EXPECT_THAT(Decisions(series.recent()), ElementsAre(5, 6));
  EXPECT_THAT(Decisions(series.older()), ElementsAre(1, 2, 3, 4));
  // One more: pairs, and the fifth waits for its partner.
  series.Add(PointAt(7), room);
  EXPECT_THAT(Decisions(series.older()), ElementsAre(2, 4));
  EXPECT_EQ(series.open()->arms[0].decisions, 5);
  series.Add(PointAt(8), room);
  EXPECT_THAT(Decisions(series.older()), ElementsAre(2, 4, 6));
  EXPECT_FALSE(series.open().has_value());
}

// Whatever the time: bounded, in order, from the beginning, without a gap that
// is larger than the spacing.
TEST(SeriesTest, ItReachesBackToTheBeginningInBoundedRoom) {
  Series series;
  const Series::Room room{.recent = 5, .older = 8};
  for (int i = 1; i <= 3000; ++i) {
    series.Add(PointAt(i), room);
    ASSERT_LE(series.recent().size(), room.recent);
    ASSERT_LE(series.older().size(), room.older);
    std::vector<int> all = Decisions(series.older());
    if (series.open().has_value()) {
      all.push_back(static_cast<int>(series.open()->arms[0].decisions));
    }
    const std::vector<int> recent = Decisions(series.recent());
    all.insert(all.end(), recent.begin(), recent.end());
    ASSERT_TRUE(std::is_sorted(all.begin(), all.end()));
    ASSERT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
    ASSERT_EQ(all.back(), i);
    if (i > 20) {
      ASSERT_LE(all.front(), i / 2) << "the beginning is lost";
    }
  }
}

TEST(HistoryTest, TellsWhatCameSince) {
  History history(absl::Seconds(2));
  for (int i = 1; i <= 3; ++i) history.Add({EntryAt(i)});
  const auto all = history.Get("ranker", absl::InfinitePast());
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->samples_size(), 3);
  EXPECT_EQ(all->interval().seconds(), 2);
  EXPECT_THAT(all->arms(), ElementsAre("a"));
  EXPECT_EQ(all->samples(2).arms(0).p99_ms(), 3);
  const auto some = history.Get("ranker", At(2));
  ASSERT_EQ(some->samples_size(), 1);
  EXPECT_EQ(some->samples(0).arms(0).decisions(), 3);
  EXPECT_EQ(history.Get("other", kStart).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(HistoryTest, WithoutCallsThereIsNoLatency) {
  History history(absl::Seconds(2));
  History::Entry entry = EntryAt(1);
  entry.point.arms[0].latency.fill(kNone);
  history.Add({entry});
  const auto told = history.Get("ranker", absl::InfinitePast());
  EXPECT_FALSE(told->samples(0).arms(0).has_p50_ms());
}

TEST(HistoryTest, OtherArmsBeginAnewAndWhatIsGoneIsForgotten) {
  History history(absl::Seconds(2));
  history.Add({EntryAt(1), EntryAt(1, "second")});
  history.Add({EntryAt(2, "ranker", "b")});
  EXPECT_EQ(history.Get("ranker", absl::InfinitePast())->samples_size(), 1);
  EXPECT_FALSE(history.Get("second", absl::InfinitePast()).ok());
}

TEST(HistoryTest, ItsMemoryIsBoundedWhateverTheNumberOfExperiments) {
  constexpr size_t kMost = size_t{16} << 20;
  for (size_t bytes = 100; bytes < (size_t{1} << 19); bytes *= 3) {
    const Series::Room room = History::RoomFor(bytes);
    EXPECT_LE((room.recent + room.older + 1) * bytes, kMost + 2 * bytes)
        << bytes;
    EXPECT_GE(room.recent, 8);
    EXPECT_EQ(room.older % 2, 0);
  }
  EXPECT_EQ(History::RoomFor(300).recent, 450);
}

}  // namespace
}  // namespace bandit::dashboard
