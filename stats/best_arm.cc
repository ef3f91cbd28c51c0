// SPDX-License-Identifier: Apache-2.0
#include "stats/best_arm.h"

#include <algorithm>
#include <limits>

#include "stats/posterior_grid.h"

namespace bandit::stats {
namespace {

// P(best) among the arms that `among` (one entry an arm) says, to `p`.
void Best(const PosteriorGrid& table, const std::vector<bool>& among,
          absl::Span<double> p) {
  std::fill(p.begin(), p.end(), 0.0);
  double begin = -std::numeric_limits<double>::infinity();
  for (size_t arm = 0; arm < p.size(); ++arm) {
    if (among[arm]) begin = std::max(begin, table.begin[arm]);
  }
  std::vector<size_t> at;     // Which of the panel's arms are among.
  std::vector<double> after;  // Product of the distributions from here on.
  for (const PosteriorGrid::Panel& panel : table.panels) {
    // Some arm is larger than this for certain.
    if (panel.begin < begin) continue;
    at.clear();
    for (size_t i = 0; i < panel.count; ++i) {
      if (among[table.arms[panel.first_arm + i]]) at.push_back(i);
    }
    after.assign(at.size() + 1, 1);
    for (size_t node = 0; node < PosteriorGrid::kOrder; ++node) {
      const PosteriorGrid::Value* const values =
          &table.values[panel.first_value + node * panel.count];
      for (size_t k = at.size(); k > 0; --k) {
        after[k - 1] = after[k] * values[at[k - 1]].distribution;
      }
      double before = 1;
      for (size_t k = 0; k < at.size(); ++k) {
        const PosteriorGrid::Value& value = values[at[k]];
        p[table.arms[panel.first_arm + at[k]]] +=
            value.density * before * after[k + 1];
        before *= value.distribution;
      }
    }
  }
  // What the quadrature misses of 1 is shared in proportion.
  double sum = 0;
  for (double v : p) sum += v;
  for (double& v : p) v /= sum;
}

template <typename Posterior>
BestArmRanking Rank(absl::Span<const Posterior> posteriors, size_t rows) {
  const size_t arms = posteriors.size();
  BestArmRanking ranking;
  if (arms == 0) return ranking;
  const PosteriorGrid table = MakeGrid(posteriors);
  std::vector<bool> left(arms, true);
  ranking.probability.resize(rows * arms);
  for (size_t row = 0; row < rows; ++row) {
    const absl::Span<double> p =
        absl::MakeSpan(ranking.probability).subspan(row * arms, arms);
    Best(table, left, p);
    size_t best = arms;
    for (size_t arm = 0; arm < arms; ++arm) {
      if (left[arm] && (best == arms || p[arm] > p[best])) best = arm;
    }
    ranking.order.push_back(best);
    left[best] = false;
  }
  return ranking;
}

}  // namespace

std::vector<double> ProbabilityBest(absl::Span<const BetaPosterior> arms) {
  return Rank(arms, std::min<size_t>(1, arms.size())).probability;
}

std::vector<double> ProbabilityBest(absl::Span<const NormalPosterior> arms) {
  return Rank(arms, std::min<size_t>(1, arms.size())).probability;
}

BestArmRanking RankBestArms(absl::Span<const BetaPosterior> arms) {
  return Rank(arms, arms.size());
}

BestArmRanking RankBestArms(absl::Span<const NormalPosterior> arms) {
  return Rank(arms, arms.size());
}

}  // namespace bandit::stats
