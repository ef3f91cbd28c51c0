// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/exchange.h"

#include <gtest/gtest.h>

#include <vector>

namespace bandit::simulation {
namespace {

Sums SumsOf(const std::vector<double>& vector) {
  return {{{.metric = "click"},
           {.center = 0.5,
            .outcomes = {},
            .arms = {{.name = "old", .vector = vector}}}}};
}

std::vector<double> VectorOf(const Sums& sums) {
  const auto row = sums.find({.metric = "click"});
  return row == sums.end() ? std::vector<double>() : row->second.arms[0].vector;
}

using Vector = std::vector<double>;

TEST(ExchangeTest, EachGetsWhatTheOthersLearned) {
  Exchange exchange(3);
  exchange.Push(0, SumsOf({1, 10}));
  exchange.Push(1, SumsOf({2, 20}));
  EXPECT_EQ(VectorOf(exchange.total()), Vector({3, 30}));
  EXPECT_EQ(VectorOf(exchange.Others(0)), Vector({2, 20}));
  EXPECT_EQ(VectorOf(exchange.Others(1)), Vector({1, 10}));
  EXPECT_EQ(VectorOf(exchange.Others(2)), Vector({3, 30}));
  EXPECT_EQ(exchange.total().begin()->second.center, 0.5);
}

TEST(ExchangeTest, APushThatIsRepeatedAddsNothing) {
  Exchange exchange(2);
  exchange.Push(0, SumsOf({1, 10}));
  exchange.Push(1, SumsOf({2, 20}));
  exchange.Push(0, SumsOf({1, 10}));
  EXPECT_EQ(VectorOf(exchange.total()), Vector({3, 30}));
  // And a later one what is new.
  exchange.Push(0, SumsOf({4, 11}));
  EXPECT_EQ(VectorOf(exchange.total()), Vector({6, 31}));
  EXPECT_EQ(VectorOf(exchange.Others(1)), Vector({4, 11}));
}

TEST(ExchangeTest, TheOrderDoesNotCount) {
  Exchange one(2), other(2);
  one.Push(0, SumsOf({1, 10}));
  one.Push(1, SumsOf({2, 20}));
  other.Push(1, SumsOf({2, 20}));
  other.Push(0, SumsOf({1, 10}));
  EXPECT_EQ(one.total(), other.total());
}

}  // namespace
}  // namespace bandit::simulation
