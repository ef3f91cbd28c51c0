// SPDX-License-Identifier: Apache-2.0
#include "stats/best_arm.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

#include "stats/gauss_legendre.h"

namespace bandit::stats {
namespace {

constexpr size_t kOrder = 16;
// A density is followed until it has fallen by exp(-k^2 / 2) from its mode, in
// steps of k; what is left beyond is below 1e-16 of its mass.
constexpr int kSteps = 9;
// exp(t) has its nearest singularities of log(1 + exp(t)) at t = +-i pi; panels
// no wider than that stay well inside.
constexpr double kLogitPanel = 3;
constexpr double kLogitBend = 40;

const GaussLegendre& Rule() {
  static const GaussLegendre* const rule = new GaussLegendre(kOrder);
  return *rule;
}

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
  double Density01(double t) const {
    return std::exp(density_.LogRatio(t - density_.mode()));
  }

 private:
  Density density_;
  std::array<double, 2 * kSteps + 1> edges_;
};

// Density (times quadrature weight) and distribution function of every arm at
// every node, arms contiguous.
struct Table {
  size_t arms = 0;
  std::vector<double> density;
  std::vector<double> distribution;

  size_t nodes() const { return density.size() / arms; }
};

template <typename Density>
Table Tabulate(const std::vector<Extent<Density>>& extents) {
  const GaussLegendre& rule = Rule();
  const size_t arms = extents.size();
  Table table;
  table.arms = arms;
  std::vector<double> mass(arms);
  double t = std::numeric_limits<double>::infinity();
  double end = -t;
  for (const auto& extent : extents) {
    t = std::min(t, extent.low());
    end = std::max(end, extent.high());
  }
  while (t < end) {
    double width = end - t;
    bool empty = true;
    for (const auto& extent : extents) {
      width = std::min(width, extent.Room(t));
      empty = empty && (t < extent.low() || t >= extent.high());
    }
    // Never stand still, whatever the rounding of t.
    const double next = std::max(
        t + width, std::nextafter(t, std::numeric_limits<double>::infinity()));
    const double half = (next - t) / 2;
    const double middle = t + half;
    t = next;
    if (empty) continue;
    const size_t first = table.density.size();
    table.density.resize(first + kOrder * arms);
    table.distribution.resize(first + kOrder * arms);
    for (size_t arm = 0; arm < arms; ++arm) {
      const auto& extent = extents[arm];
      std::array<double, kOrder> f{};
      if (extent.low() < next && middle - half < extent.high()) {
        for (size_t k = 0; k < kOrder; ++k) {
          f[k] = half * extent.Density01(middle + half * rule.nodes()[k]);
        }
      }
      double sum = 0;
      for (size_t k = 0; k < kOrder; ++k) {
        double below = mass[arm];
        for (size_t l = 0; l < kOrder; ++l) {
          below += rule.partial_weight(k, l) * f[l];
        }
        const size_t at = first + k * arms + arm;
        table.density[at] = rule.weights()[k] * f[k];
        // The partial integrals may fall below 0 by rounding.
        table.distribution[at] = std::max(0.0, below);
        sum += table.density[at];
      }
      mass[arm] += sum;
    }
  }
  for (size_t i = 0; i < table.density.size(); ++i) {
    table.density[i] /= mass[i % arms];
    table.distribution[i] /= mass[i % arms];
  }
  return table;
}

// P(best) among `among`, written to `p` (one entry an arm of the table).
void Best(const Table& table, absl::Span<const size_t> among,
          absl::Span<double> p) {
  std::fill(p.begin(), p.end(), 0.0);
  std::vector<double> after(among.size() + 1, 1);
  for (size_t node = 0; node < table.nodes(); ++node) {
    const double* const f = &table.density[node * table.arms];
    const double* const cdf = &table.distribution[node * table.arms];
    for (size_t k = among.size(); k > 0; --k) {
      after[k - 1] = after[k] * cdf[among[k - 1]];
    }
    double before = 1;
    for (size_t k = 0; k < among.size() && before > 0; ++k) {
      p[among[k]] += f[among[k]] * before * after[k + 1];
      before *= cdf[among[k]];
    }
  }
  // What the quadrature misses of 1 is shared in proportion.
  double sum = 0;
  for (size_t arm : among) sum += p[arm];
  for (size_t arm : among) p[arm] /= sum;
}

template <typename Density>
BestArmRanking Rank(const std::vector<Density>& densities, size_t rows) {
  const size_t arms = densities.size();
  BestArmRanking ranking;
  std::vector<size_t> left(arms);
  for (size_t i = 0; i < arms; ++i) left[i] = i;
  if (arms == 0) return ranking;
  std::vector<Extent<Density>> extents(densities.begin(), densities.end());
  const Table table = Tabulate(extents);
  ranking.probability.resize(rows * arms);
  for (size_t row = 0; row < rows; ++row) {
    const absl::Span<double> p =
        absl::MakeSpan(ranking.probability).subspan(row * arms, arms);
    Best(table, left, p);
    const auto best =
        std::max_element(left.begin(), left.end(),
                         [&](size_t a, size_t b) { return p[a] < p[b]; });
    ranking.order.push_back(*best);
    left.erase(best);
  }
  return ranking;
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

std::vector<double> ProbabilityBest(absl::Span<const BetaPosterior> arms) {
  return Rank(Densities(arms), std::min<size_t>(1, arms.size())).probability;
}

std::vector<double> ProbabilityBest(absl::Span<const NormalPosterior> arms) {
  return Rank(Densities(arms), std::min<size_t>(1, arms.size())).probability;
}

BestArmRanking RankBestArms(absl::Span<const BetaPosterior> arms) {
  return Rank(Densities(arms), arms.size());
}

BestArmRanking RankBestArms(absl::Span<const NormalPosterior> arms) {
  return Rank(Densities(arms), arms.size());
}

}  // namespace bandit::stats
