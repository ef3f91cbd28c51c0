// SPDX-License-Identifier: Apache-2.0
// Several posteriors' densities and distribution functions on one grid, for
// integrals that involve all of them.
//
// The panels follow the posteriors: wherever an arm's density lives, a panel is
// at most about one of its standard deviations wide, however different the
// arms' scales are. The distribution functions are integrated along with the
// densities, so that no special function is needed and every one ends at 1. A
// Beta posterior is integrated over the logit, where its density is log-concave
// and smooth for all parameters.
#ifndef BANDIT_STATS_POSTERIOR_GRID_H_
#define BANDIT_STATS_POSTERIOR_GRID_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "stats/gauss_legendre.h"
#include "stats/posterior.h"

namespace bandit::stats {

// The arms' densities (times quadrature weight) and distribution functions at
// the nodes, panel by panel, of those arms only that live in a panel: of the
// others the distribution function is 0 before and 1 after.
struct PosteriorGrid {
  static constexpr size_t kOrder = 16;
  // Of the nodes within a panel.
  static const GaussLegendre& Rule();

  struct Panel {
    double begin;
    double end;
    // The arms alive here are arms[first_arm ...), `count` of them; the values
    // begin at `first_value`: for each node, for each of these arms.
    size_t first_arm;
    size_t count;
    size_t first_value;
  };
  struct Value {
    double density;
    double distribution;
  };
  // Ascending; where no arm lives there is none.
  std::vector<Panel> panels;
  std::vector<size_t> arms;
  std::vector<Value> values;
  // Where each arm begins to live, and where it has ended.
  std::vector<double> begin;
  std::vector<double> end;

  // The variable of integration is the logit of what the posteriors are of;
  // else it is that itself, about the largest mean.
  bool logit = false;
  double ToValue(double t) const;
  // d ToValue / dt.
  double Slope(double t) const;
};

// Cost: O(panels * arms), panels between 20 and 20 an arm.
PosteriorGrid MakeGrid(absl::Span<const BetaPosterior> arms);
PosteriorGrid MakeGrid(absl::Span<const NormalPosterior> arms);

}  // namespace bandit::stats

#endif  // BANDIT_STATS_POSTERIOR_GRID_H_
