// SPDX-License-Identifier: Apache-2.0
// HashUnit, DrawSticky and Draw: shares, independence, movement. The units are
// fixed, so nothing here depends on chance; the tolerances say how unlikely a
// sound hash would have been to fail.
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/experiment/assignment.h"

namespace bandit::experiment {
namespace {

constexpr int kUnits = 1'000'000;
constexpr double kTiny = std::numeric_limits<double>::denorm_min();

std::vector<Arm> Arms(const std::vector<std::string>& names) {
  std::vector<Arm> arms;
  for (const std::string& name : names) {
    arms.push_back({.name = name, .backend = 0, .model = {}});
  }
  return arms;
}

const std::vector<Arm>& FourArms() {
  static const auto& arms =
      *new std::vector<Arm>(Arms({"control", "b", "c", "candidate"}));
  return arms;
}

uint64_t UnitHash(std::string_view salt, int unit) {
  return HashUnit(Purpose::kArm, salt, fmt::format("user-{}", unit));
}

// Pearson's statistic of independence of a table's rows and columns.
double ChiSquare(const std::vector<std::vector<double>>& table) {
  std::vector<double> rows(table.size()), columns(table[0].size());
  double total = 0, statistic = 0;
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < columns.size(); ++c) {
      rows[r] += table[r][c];
      columns[c] += table[r][c];
      total += table[r][c];
    }
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < columns.size(); ++c) {
      const double expected = rows[r] * columns[c] / total;
      statistic += std::pow(table[r][c] - expected, 2) / expected;
    }
  }
  return statistic;
}

std::vector<std::vector<double>> Table(size_t rows, size_t columns) {
  return std::vector<std::vector<double>>(rows, std::vector<double>(columns));
}

// 5 standard deviations of the binomial: 6e-7 for a sound hash. iter8's
// rendezvous, which compares u * p, gives 94.4 % where 90 % was asked.
TEST(DrawStickyTest, GivesEachArmItsProbability) {
  const std::vector<std::vector<double>> splits = {
      {0.9, 0.1, 0, 0}, {0.25, 0.25, 0.25, 0.25}, {0.001, 0.009, 0.09, 0.9},
      {0, 0, 1, 0},     {0.5, 0, 0.3, 0.2},
  };
  for (const auto& p : splits) {
    std::vector<double> counts(p.size());
    for (int i = 0; i < kUnits; ++i) {
      ++counts[DrawSticky(FourArms(), p, UnitHash("ranker", i))];
    }
    for (size_t arm = 0; arm < p.size(); ++arm) {
      EXPECT_NEAR(counts[arm], p[arm] * kUnits,
                  5 * std::sqrt(kUnits * p[arm] * (1 - p[arm])));
    }
  }
}

TEST(DrawStickyTest, TwoSaltsDrawIndependently) {
  const std::vector<double> p = {0.4, 0.3, 0.2, 0.1};
  auto table = Table(4, 4);
  for (int i = 0; i < kUnits; ++i) {
    ++table[DrawSticky(FourArms(), p, UnitHash("one", i))]
           [DrawSticky(FourArms(), p, UnitHash("two", i))];
  }
  // The 1e-4 quantile of chi-square with 9 degrees of freedom (scipy).
  EXPECT_LT(ChiSquare(table), 33.72);
}

// A ramp that lets 10 % in must not choose among them by their arm.
TEST(DrawStickyTest, PurposesAreIndependent) {
  const std::vector<double> p = {0.4, 0.3, 0.2, 0.1};
  for (const Purpose other :
       {Purpose::kRamp, Purpose::kLayer, Purpose::kHoldout}) {
    auto table = Table(4, 10);
    for (int i = 0; i < kUnits; ++i) {
      const std::string unit = fmt::format("user-{}", i);
      const uint64_t arm_hash = HashUnit(Purpose::kArm, "ranker", unit);
      const double u =
          static_cast<double>(HashUnit(other, "ranker", unit)) * 0x1p-64;
      ++table[DrawSticky(FourArms(), p, arm_hash)]
             [std::min(9, static_cast<int>(u * 10))];
    }
    // 1e-4, 27 degrees of freedom.
    EXPECT_LT(ChiSquare(table), 63.16) << static_cast<int>(other);
  }
}

// Variances are taken over buckets of the unit's hash, which the arm is drawn
// from too.
TEST(DrawStickyTest, ArmsAreIndependentOfTheHashesBits) {
  const std::vector<double> p = {0.4, 0.3, 0.2, 0.1};
  auto low = Table(4, 64), high = Table(4, 64);
  for (int i = 0; i < kUnits; ++i) {
    const uint64_t hash = UnitHash("ranker", i);
    const size_t arm = DrawSticky(FourArms(), p, hash);
    ++low[arm][hash % 64];
    ++high[arm][hash >> 58];
  }
  // 1e-4, 189 degrees of freedom.
  EXPECT_LT(ChiSquare(low), 269.98);
  EXPECT_LT(ChiSquare(high), 269.98);
}

TEST(DrawStickyTest, HashesSpreadEvenlyOverBuckets) {
  auto table = Table(2, 100);
  for (int i = 0; i < kUnits; ++i) {
    ++table[0][UnitHash("ranker", i) % 100];
  }
  for (double& expected : table[1]) expected = kUnits / 100.0;
  // 1e-4, 99 degrees of freedom; against fixed counts, half the statistic of
  // independence of a table with an exact row.
  double statistic = 0;
  for (int b = 0; b < 100; ++b) {
    statistic += std::pow(table[0][b] - table[1][b], 2) / table[1][b];
  }
  EXPECT_LT(statistic, 160.05);
}

// From 90/10 to 80/20: a tenth of the units go over, none comes back.
TEST(DrawStickyTest, OnlyUnitsThatMustMoveDo) {
  const auto arms = Arms({"control", "candidate"});
  int moved = 0;
  for (int i = 0; i < kUnits; ++i) {
    const uint64_t hash = UnitHash("ranker", i);
    const size_t before = DrawSticky(arms, {0.9, 0.1}, hash);
    const size_t after = DrawSticky(arms, {0.8, 0.2}, hash);
    ASSERT_FALSE(before == 1 && after == 0) << i;
    moved += before != after;
  }
  EXPECT_NEAR(moved, 0.1 * kUnits, 5 * std::sqrt(kUnits * 0.09));
}

// The last arm takes a fifth of all others' share; or is ejected again.
TEST(DrawStickyTest, ANewArmMovesNoUnitBetweenTheOthers) {
  const std::vector<double> without = {0.5, 0.3, 0.2, 0};
  const std::vector<double> with = {0.4, 0.24, 0.16, 0.2};
  for (int i = 0; i < kUnits / 10; ++i) {
    const uint64_t hash = UnitHash("ranker", i);
    const size_t before = DrawSticky(FourArms(), without, hash);
    const size_t after = DrawSticky(FourArms(), with, hash);
    ASSERT_TRUE(after == before || after == 3) << i;
  }
}

// Any change: who moves leaves an arm that lost or joins one that gained.
TEST(DrawStickyTest, NobodyMovesBetweenArmsThatKeepTheirShare) {
  const std::vector<double> p = {0.3, 0.3, 0.2, 0.2};
  const std::vector<double> q = {0.3, 0.3, 0.1, 0.3};
  for (int i = 0; i < kUnits / 10; ++i) {
    const uint64_t hash = UnitHash("ranker", i);
    const size_t before = DrawSticky(FourArms(), p, hash);
    const size_t after = DrawSticky(FourArms(), q, hash);
    ASSERT_TRUE(before == after || before == 2 || after == 3) << i;
  }
}

TEST(DrawStickyTest, TheOrderOfArmsDoesNotCount) {
  const auto arms = Arms({"a", "b", "c"}), reversed = Arms({"c", "b", "a"});
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t hash = UnitHash("ranker", i);
    EXPECT_EQ(DrawSticky(arms, {0.5, 0.3, 0.2}, hash),
              2 - DrawSticky(reversed, {0.2, 0.3, 0.5}, hash));
  }
}

TEST(DrawStickyTest, ProbabilitiesAtTheEndsOfDouble) {
  for (int i = 0; i < 1000; ++i) {
    const uint64_t hash = UnitHash("ranker", i);
    EXPECT_EQ(DrawSticky(FourArms(), {0, 0, 0, 1}, hash), 3);
    EXPECT_EQ(DrawSticky(FourArms(), {kTiny, 1, kTiny, 0}, hash), 1);
    // -ln(u) / p overflows: still the only arm there is.
    EXPECT_EQ(DrawSticky(FourArms(), {0, 0, kTiny, 0}, hash), 2);
  }
}

// Not `salt + unit`: fields are length-prefixed, and every one of them counts.
TEST(HashUnitTest, EveryFieldCounts) {
  std::set<uint64_t> hashes;
  size_t n = 0;
  for (int purpose = 1; purpose <= 4; ++purpose) {
    for (const auto& [salt, unit] :
         std::vector<std::pair<std::string, std::string>>{
             {"", ""},
             {"ab", "c"},
             {"a", "bc"},
             {"", "abc"},
             {"abc", ""},
             {std::string(1, '\0'), ""},
             {"", std::string(1, '\0')}}) {
      hashes.insert(HashUnit(static_cast<Purpose>(purpose), salt, unit));
      ++n;
    }
  }
  EXPECT_EQ(hashes.size(), n);
}

// Around the size up to which no allocation is made.
TEST(HashUnitTest, LongUnitsDifferInTheirLastByte) {
  for (size_t size = 200; size < 300; ++size) {
    const std::string unit(size, 'x');
    std::string other = unit;
    other.back() = 'y';
    EXPECT_NE(HashUnit(Purpose::kArm, "s", unit),
              HashUnit(Purpose::kArm, "s", other));
    EXPECT_EQ(HashUnit(Purpose::kArm, "s", unit),
              HashUnit(Purpose::kArm, "s", std::string(size, 'x')));
  }
}

TEST(DrawTest, InvertsTheDistribution) {
  const std::vector<double> p = {0.25, 0.5, 0.25};
  EXPECT_EQ(Draw(p, 0), 0);
  EXPECT_EQ(Draw(p, std::nextafter(0.25, 0)), 0);
  EXPECT_EQ(Draw(p, 0.25), 1);
  EXPECT_EQ(Draw(p, std::nextafter(0.75, 0)), 1);
  EXPECT_EQ(Draw(p, 0.75), 2);
  EXPECT_EQ(Draw(p, std::nextafter(1, 0)), 2);
}

TEST(DrawTest, NeverDrawsAnImpossibleArm) {
  for (double uniform : {0.0, kTiny, 0.5, std::nextafter(1, 0)}) {
    EXPECT_EQ(Draw({0, 1, 0}, uniform), 1);
    // The sum lacks a rounding error of 1.
    EXPECT_EQ(Draw({0, 1 - 1e-12, 0}, uniform), 1);
  }
}

}  // namespace
}  // namespace bandit::experiment
