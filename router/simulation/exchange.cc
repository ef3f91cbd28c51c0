// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/exchange.h"

#include <cassert>
#include <utility>

namespace bandit::simulation {

void AddSums(const Sums& from, double sign, Sums* to) {
  for (const auto& [key, row] : from) {
    store::StatisticsRow& into = (*to)[key];
    if (!into.center.has_value()) into.center = row.center;
    into.arms.resize(row.arms.size());
    for (size_t a = 0; a < row.arms.size(); ++a) {
      const store::StatisticsRow::Arm& add = row.arms[a];
      store::StatisticsRow::Arm& arm = into.arms[a];
      arm.name = add.name;
      arm.vector.resize(add.vector.size());
      for (size_t i = 0; i < add.vector.size(); ++i) {
        arm.vector[i] += sign * add.vector[i];
      }
    }
  }
}

void Exchange::Push(size_t replica, Sums own) {
  assert(replica < pushed_.size());
  AddSums(pushed_[replica], -1, &total_);
  AddSums(own, 1, &total_);
  pushed_[replica] = std::move(own);
}

Sums Exchange::Others(size_t replica) const {
  Sums others = total_;
  AddSums(pushed_[replica], -1, &others);
  return others;
}

}  // namespace bandit::simulation
