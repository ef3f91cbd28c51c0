// SPDX-License-Identifier: Apache-2.0
#include "stats/posterior_grid.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

namespace bandit::stats {
namespace {

constexpr size_t kOrder = PosteriorGrid::kOrder;
// A density is followed until it has fallen by exp(-k^2 / 2) from its mode, in
// steps of k; what is left beyond is below 1e-16 of its mass.
constexpr int kSteps = 9;
// exp(t) has its nearest singularities of log(1 + exp(t)) at t = +-i pi; panels
// no wider than that stay well inside.
constexpr double kLogitPanel = 3;
constexpr double kLogitBend = 40;

// Log-concave densities, by the log of their ratio to the mode at distance d
// from it.

// The density of logit(p), p ~ Beta(a, b), is e^(a t) / (1 + e^t)^(a + b) / B.
class LogitBeta {
 public:
  explicit LogitBeta(const BetaPosterior& p)
      : a_(p.a), b_(p.b), n_(p.a + p.b), mode_(std::log(p.a / p.b)) {
    assert(p.a > 0 && p.b > 0 && std::isfinite(n_));
  }

  double mode() const { return mode_; }
  double scale() const { return std::sqrt(n_ / a_ / b_); }
  double widest_panel(double t) const {
    return std::abs(t) < kLogitBend ? kLogitPanel
                                    : std::numeric_limits<double>::infinity();
  }

  double LogRatio(double d) const {
    // About the rarer outcome, where the terms cancel least.
    return a_ <= b_ ? LogRatio(a_, b_, d) : LogRatio(b_, a_, -d);
  }
  double Slope(double d) const {
    // a - n p(d), p = e^d a / (e^d a + b).
    return d < 0 ? a_ - n_ * a_ / (a_ + b_ * std::exp(-d))
                 : n_ * b_ / (b_ + a_ * std::exp(d)) - b_;
  }

 private:
  // a d - (a + b) log((b + a e^d) / (a + b)), a <= b.
  static double LogRatio(double a, double b, double d) {
    const double n = a + b;
    if (d < kLogitBend) return a * d - n * std::log1p(a / n * std::expm1(d));
    // exp(d) would overflow in the flat tail of a small a.
    return -b * d - n * std::log(a / n + b / n * std::exp(-d));
  }

  double a_, b_, n_, mode_;
};

class Normal {
 public:
  Normal(double mode, double scale) : mode_(mode), scale_(scale) {}

  double mode() const { return mode_; }
  double scale() const { return scale_; }
  double widest_panel(double) const {
    return std::numeric_limits<double>::infinity();
  }
  double LogRatio(double d) const { return -0.5 * (d / scale_) * (d / scale_); }
  double Slope(double d) const { return -d / scale_ / scale_; }

 private:
  double mode_, scale_;
};

// Where a density has fallen by 0, 1/2, 2, 9/2, ... from its mode, both ways.
template <typename Density>
class Extent {
 public:
  explicit Extent(const Density& density) : density_(density) {
    edges_[kSteps] = density.mode();
    for (int side : {-1, 1}) {
      double d = side * density.scale();
      for (int k = 1; k <= kSteps; ++k) {
        // Newton on a concave function closes in from outside after one step.
        for (int i = 0; i < 60; ++i) {
          const double excess = density.LogRatio(d) + 0.5 * k * k;
          const double step = excess / density.Slope(d);
          d -= step;
          if (!(std::abs(step) > 1e-3 * std::abs(d))) break;
        }
        edges_[kSteps + side * k] = density.mode() + d;
      }
    }
  }

  double low() const { return edges_.front(); }
  double high() const { return edges_.back(); }
  // How wide a panel may be that begins at `t`, as far as this arm goes.
  double Room(double t) const {
    if (t >= high()) return std::numeric_limits<double>::infinity();
    if (t < low()) return low() - t;
    const auto next = std::upper_bound(edges_.begin(), edges_.end(), t);
    return std::min(*next - *(next - 1), density_.widest_panel(t));
  }
  double Ratio(double t) const {
    return std::exp(density_.LogRatio(t - density_.mode()));
  }

 private:
  Density density_;
  std::array<double, 2 * kSteps + 1> edges_;
};

// Appends the panel [t, t + 2 half]; `mass` is each arm's integral so far.
template <typename Density>
void AddPanel(const std::vector<Extent<Density>>& extents, double t,
              double half, std::vector<double>& mass, PosteriorGrid* table) {
  PosteriorGrid::Panel panel{t, t + 2 * half, table->arms.size(), 0,
                             table->values.size()};
  for (size_t arm = 0; arm < extents.size(); ++arm) {
    if (extents[arm].low() <= t && t < extents[arm].high()) {
      table->arms.push_back(arm);
      ++panel.count;
    }
  }
  if (panel.count == 0) return;
  table->panels.push_back(panel);
  table->values.resize(panel.first_value + kOrder * panel.count);
  const GaussLegendre& rule = PosteriorGrid::Rule();
  for (size_t i = 0; i < panel.count; ++i) {
    const size_t arm = table->arms[panel.first_arm + i];
    std::array<double, kOrder> f;
    for (size_t k = 0; k < kOrder; ++k) {
      f[k] = half * extents[arm].Ratio(t + half + half * rule.nodes()[k]);
    }
    double sum = 0;
    for (size_t k = 0; k < kOrder; ++k) {
      double below = mass[arm];
      for (size_t l = 0; l < kOrder; ++l) {
        below += rule.partial_weight(k, l) * f[l];
      }
      const double density = rule.weights()[k] * f[k];
      // The partial integrals may fall below 0 by rounding.
      table->values[panel.first_value + k * panel.count + i] = {
          density, std::max(0.0, below)};
      sum += density;
    }
    mass[arm] += sum;
  }
}

template <typename Density>
PosteriorGrid Tabulate(const std::vector<Density>& densities) {
  const std::vector<Extent<Density>> extents(densities.begin(),
                                             densities.end());
  PosteriorGrid table;
  std::vector<double> mass(extents.size());
  double t = std::numeric_limits<double>::infinity();
  double end = -t;
  for (const auto& extent : extents) {
    table.begin.push_back(extent.low());
    table.end.push_back(extent.high());
    t = std::min(t, extent.low());
    end = std::max(end, extent.high());
  }
  while (t < end) {
    double width = end - t;
    for (const auto& extent : extents) {
      width = std::min(width, extent.Room(t));
    }
    // Never stand still, whatever the rounding of t.
    const double next = std::max(
        t + width, std::nextafter(t, std::numeric_limits<double>::infinity()));
    AddPanel(extents, t, (next - t) / 2, mass, &table);
    t = next;
  }
  for (const PosteriorGrid::Panel& panel : table.panels) {
    for (size_t i = 0; i < kOrder * panel.count; ++i) {
      const double total = mass[table.arms[panel.first_arm + i % panel.count]];
      PosteriorGrid::Value& value = table.values[panel.first_value + i];
      value.density /= total;
      value.distribution /= total;
    }
  }
  return table;
}

std::vector<LogitBeta> Densities(absl::Span<const BetaPosterior> arms) {
  return {arms.begin(), arms.end()};
}

std::vector<Normal> Densities(absl::Span<const NormalPosterior> arms) {
  // About the largest mean: only distances matter, and large means would
  // swallow small ones.
  double top = -std::numeric_limits<double>::infinity();
  for (const NormalPosterior& arm : arms) top = std::max(top, arm.mean);
  double span = 0;
  for (const NormalPosterior& arm : arms) {
    assert(std::isfinite(arm.mean) && arm.variance >= 0);
    span = std::max({span, top - arm.mean, std::sqrt(arm.variance)});
  }
  // A known value is a density too narrow to matter, so that equal ones share.
  const double narrowest = span > 0 ? 1e-9 * span : 1;
  std::vector<Normal> densities;
  for (const NormalPosterior& arm : arms) {
    densities.emplace_back(arm.mean - top,
                           std::max(std::sqrt(arm.variance), narrowest));
  }
  return densities;
}

}  // namespace

const GaussLegendre& PosteriorGrid::Rule() {
  static const GaussLegendre* const rule = new GaussLegendre(kOrder);
  return *rule;
}

double PosteriorGrid::ToValue(double t) const {
  return logit ? 1 / (1 + std::exp(-t)) : t;
}

double PosteriorGrid::Slope(double t) const {
  if (!logit) return 1;
  // Symmetric, so that exp cannot overflow.
  const double e = std::exp(-std::abs(t));
  return e / (1 + e) / (1 + e);
}

PosteriorGrid MakeGrid(absl::Span<const BetaPosterior> arms) {
  PosteriorGrid grid = Tabulate(Densities(arms));
  grid.logit = true;
  return grid;
}

PosteriorGrid MakeGrid(absl::Span<const NormalPosterior> arms) {
  return Tabulate(Densities(arms));
}

}  // namespace bandit::stats
