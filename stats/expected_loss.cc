// SPDX-License-Identifier: Apache-2.0
#include "stats/expected_loss.h"

#include <algorithm>
#include <cstddef>

#include "stats/posterior_grid.h"

namespace bandit::stats {
namespace {

// Where an arm is with respect to a point of the grid.
struct Sides {
  std::vector<size_t> ended;  // F = 1.
  bool some_to_come = false;  // F = 0.
};

Sides SidesOf(const PosteriorGrid& grid, double t) {
  Sides sides;
  for (size_t arm = 0; arm < grid.begin.size(); ++arm) {
    if (grid.end[arm] <= t) sides.ended.push_back(arm);
    if (grid.begin[arm] > t) sides.some_to_come = true;
  }
  return sides;
}

// Adds the integral over one panel.
void AddPanel(const PosteriorGrid& grid, const PosteriorGrid::Panel& panel,
              std::vector<double>& loss) {
  const GaussLegendre& rule = PosteriorGrid::Rule();
  const Sides sides = SidesOf(grid, panel.begin);
  const double half = (panel.end - panel.begin) / 2;
  std::vector<double> after(panel.count + 1, 1);
  for (size_t node = 0; node < PosteriorGrid::kOrder; ++node) {
    const PosteriorGrid::Value* const values =
        &grid.values[panel.first_value + node * panel.count];
    const double width =
        half * rule.weights()[node] *
        grid.Slope(panel.begin + half + half * rule.nodes()[node]);
    for (size_t k = panel.count; k > 0; --k) {
      after[k - 1] = after[k] * values[k - 1].distribution;
    }
    double before = 1;
    for (size_t k = 0; k < panel.count; ++k) {
      // With an arm still to come the largest is above this for certain.
      const double below = sides.some_to_come ? 0 : before * after[k + 1];
      loss[grid.arms[panel.first_arm + k]] +=
          width * values[k].distribution * std::max(0.0, 1 - below);
      before *= values[k].distribution;
    }
    const double below = sides.some_to_come ? 0 : after[0];
    for (const size_t arm : sides.ended) {
      loss[arm] += width * std::max(0.0, 1 - below);
    }
  }
}

std::vector<double> Loss(const PosteriorGrid& grid) {
  std::vector<double> loss(grid.begin.size());
  for (size_t p = 0; p < grid.panels.size(); ++p) {
    const PosteriorGrid::Panel& panel = grid.panels[p];
    // A gap: every arm has ended or is to come.
    if (p > 0 && grid.panels[p - 1].end < panel.begin) {
      const double from = grid.panels[p - 1].end;
      const double width = grid.ToValue(panel.begin) - grid.ToValue(from);
      for (const size_t arm : SidesOf(grid, from).ended) loss[arm] += width;
    }
    AddPanel(grid, panel, loss);
  }
  return loss;
}

}  // namespace

std::vector<double> ExpectedLoss(absl::Span<const BetaPosterior> arms) {
  return arms.empty() ? std::vector<double>() : Loss(MakeGrid(arms));
}

std::vector<double> ExpectedLoss(absl::Span<const NormalPosterior> arms) {
  // The grid knows no scale by which these would be close.
  if (std::all_of(arms.begin(), arms.end(), [&](const NormalPosterior& arm) {
        return arm.variance == 0 && arm.mean == arms[0].mean;
      })) {
    return std::vector<double>(arms.size());
  }
  return Loss(MakeGrid(arms));
}

}  // namespace bandit::stats
