// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/value_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "policies/policy.h"

namespace bandit::simulation {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// The 99th percentile of a standard normal.
constexpr double kZ99 = 2.3263478740408408;

double ToSeconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + 1e-9 * duration.nanos();
}

double Logit(double p) { return std::log(p) - std::log1p(-p); }
double Sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

double NormalDensity(double z) {
  return std::isinf(z) ? 0
                       : std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
}
double NormalBelow(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

}  // namespace

double MeanOfCutNormal(double mean, double sd, double low, double high) {
  if (!(sd > 0)) return std::clamp(mean, low, high);
  const double a = (low - mean) / sd;
  const double b = (high - mean) / sd;
  const double below = NormalBelow(a);
  const double above = NormalBelow(-b);
  double result =
      mean * (1 - below - above) + sd * (NormalDensity(a) - NormalDensity(b));
  // Not infinity times 0.
  if (below > 0) result += low * below;
  if (above > 0) result += high * above;
  return result;
}

ValueModel::ValueModel(const v1::WorldMetric& described,
                       const experiment::Metric& metric,
                       absl::Span<const std::string> columns)
    : binary_(metric.kind == policies::RewardKind::kBinary),
      logistic_(described.link() == v1::WORLD_LINK_LOGISTIC ||
                (described.link() == v1::WORLD_LINK_UNSPECIFIED && binary_)),
      mean_(described.mean()),
      sd_(described.has_sd()      ? described.sd()
          : described.mean() != 0 ? std::abs(described.mean())
                                  : 1),
      min_(metric.min.value_or(-kInfinity)),
      max_(metric.max.value_or(kInfinity)) {
  for (const v1::WorldChange& change : described.changes()) {
    const double at = ToSeconds(change.at());
    changes_.push_back({.from = at,
                        .to = at + ToSeconds(change.over()),
                        .mean = change.mean()});
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    const auto effect = described.effects().find(columns[c]);
    if (effect != described.effects().end() && effect->second != 0) {
      effects_.emplace_back(c, effect->second);
    }
  }
}

double ValueModel::MeanWithoutEffects(double seconds) const {
  double mean = mean_;
  for (const Change& change : changes_) {
    if (seconds < change.from) break;
    if (seconds >= change.to) {
      mean = change.mean;
    } else {
      const double done = (seconds - change.from) / (change.to - change.from);
      mean += done * (change.mean - mean);
    }
  }
  return mean;
}

double ValueModel::Center(double seconds, absl::Span<const float> x) const {
  const double mean = MeanWithoutEffects(seconds);
  if (effects_.empty()) return mean;
  double sum = 0;
  for (const auto& [column, effect] : effects_) sum += effect * x[column];
  return logistic_ ? Sigmoid(Logit(mean) + sum) : mean + sum;
}

double ValueModel::Mean(double seconds, absl::Span<const float> x) const {
  const double center = Center(seconds, x);
  return binary_ ? std::clamp(center, 0.0, 1.0)
                 : MeanOfCutNormal(center, sd_, min_, max_);
}

double ValueModel::Draw(double seconds, absl::Span<const float> x,
                        Random& random) const {
  const double center = Center(seconds, x);
  if (binary_) return random.Uniform() < center ? 1 : 0;
  return std::clamp(center + sd_ * random.Normal(), min_, max_);
}

TimeModel::TimeModel(const v1::WorldTime& described)
    : median_(ToSeconds(described.median())) {
  if (described.has_p99() && median_ > 0) {
    sigma_ = std::log(ToSeconds(described.p99()) / median_) / kZ99;
  }
}

double TimeModel::Mean() const {
  return median_ * std::exp(sigma_ * sigma_ / 2);
}

double TimeModel::Draw(Random& random) const {
  if (sigma_ > 0) return median_ * std::exp(sigma_ * random.Normal());
  random.Next();
  random.Next();
  return median_;
}

}  // namespace bandit::simulation
