// SPDX-License-Identifier: Apache-2.0
// The statistics of an experiment, for tests: what the ledger does in the
// router, without time and store.
#ifndef BANDIT_TESTS_UNIT_POLICIES_ARM_SUMS_H_
#define BANDIT_TESTS_UNIT_POLICIES_ARM_SUMS_H_

#include <memory>
#include <string_view>
#include <vector>

#include "policies/policy.h"
#include "policies/statistics.h"

namespace bandit::policies {

class ArmSums {
 public:
  explicit ArmSums(size_t arms, size_t dimension = 0, double center = 0)
      : layout_{dimension},
        center_(center),
        vectors_(arms, std::vector<double>(layout_.size())) {}

  void Observe(size_t arm, double reward, absl::Span<const float> x = {},
               double propensity = 1) {
    Accumulate(layout_, center_,
               {.reward = reward, .propensity = propensity, .features = x},
               absl::MakeSpan(vectors_[arm]));
  }
  // `n` rewards of this mean and, about it, this sum of squares.
  void ObserveMany(size_t arm, double n, double mean, double squares = 0) {
    const double y = mean - center_;
    vectors_[arm][StatisticsLayout::kCount] += n;
    vectors_[arm][StatisticsLayout::kSum] += n * y;
    vectors_[arm][StatisticsLayout::kSquares] += n * y * y + squares;
  }
  void Merge(const ArmSums& other) {
    for (size_t i = 0; i < vectors_.size(); ++i) {
      for (size_t k = 0; k < vectors_[i].size(); ++k) {
        vectors_[i][k] += other.vectors_[i][k];
      }
    }
  }

  std::vector<double>& vector(size_t arm) { return vectors_[arm]; }
  std::vector<ArmStatistics> view() const {
    std::vector<ArmStatistics> view;
    for (const auto& v : vectors_) view.emplace_back(layout_, center_, v);
    return view;
  }

 private:
  StatisticsLayout layout_;
  double center_;
  std::vector<std::vector<double>> vectors_;
};

// The distribution that `policy` gives by `sums`.
inline std::vector<double> Distribution(const Policy& policy,
                                        const ArmSums& sums,
                                        ArmSet eligible = ~ArmSet{0},
                                        absl::Span<const float> x = {}) {
  const std::vector<ArmStatistics> view = sums.view();
  std::vector<double> p(view.size());
  policy.Prepare({.arms = view, .previous = nullptr, .fresh = {}})
      .value()
      ->Probabilities(x, eligible, absl::MakeSpan(p));
  return p;
}

}  // namespace bandit::policies

#endif  // BANDIT_TESTS_UNIT_POLICIES_ARM_SUMS_H_
