// SPDX-License-Identifier: Apache-2.0
#include "router/report/report.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "router/report/arm_sums.h"
#include "router/report/effects.h"
#include "router/report/next_step.h"
#include "router/report/segment_reports.h"
#include "router/report/split_check.h"
#include "stats/best_arm.h"
#include "stats/cuped.h"
#include "stats/expected_loss.h"
#include "stats/multiple_testing.h"
#include "stats/posterior.h"
#include "stats/quantile_sequence.h"

namespace bandit::report {
namespace {

// Of the weights 1 / p: below, the shares did not move but for a few requests
// that were sent elsewhere.
constexpr double kMovedShares = 0.01;
constexpr double kQuantiles[] = {0.5, 0.95, 0.99};
constexpr double kNsPerMs = 1e6;

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return proto;
}

// A metric's sums in all arms.
struct MetricData {
  const MetricInput* input = nullptr;
  std::vector<ArmSums> sums;
  double decisions = 0;

  ArmData arm(size_t a) const {
    return {.sums = &sums[a],
            .binary = input->binary,
            .decisions = decisions,
            .cells_only = input->cells_only};
  }
};

std::vector<MetricData> ReadMetrics(const Input& input) {
  std::vector<MetricData> metrics;
  for (const MetricInput& metric : input.metrics) {
    MetricData& data = metrics.emplace_back();
    data.input = &metric;
    for (const std::vector<double>& arm : metric.arms) {
      data.sums.emplace_back(input.layout, metric.center, arm);
      data.decisions += data.sums.back().count();
    }
  }
  return metrics;
}

bool SharesMoved(const std::vector<MetricData>& metrics) {
  for (const MetricData& metric : metrics) {
    for (const ArmSums& arm : metric.sums) {
      if (arm.WeightVariation() > kMovedShares) return true;
    }
  }
  return false;
}

void AddLatency(const ArmInput& arm, const Input& input, v1::ArmReport* to) {
  const auto cells = learning::latency_cells::Read(arm.latency);
  double count = 0;
  for (const stats::HistogramCell& cell : cells) count += cell.count;
  if (count == 0) return;
  for (const double q : kQuantiles) {
    v1::QuantileReport* report = to->add_latency();
    report->set_q(q);
    double below = 0;
    for (const stats::HistogramCell& cell : cells) {
      below += cell.count;
      if (below < q * count) continue;
      report->set_value((cell.low + cell.high) / 2 / kNsPerMs);
      break;
    }
    const stats::Interval interval = stats::QuantileSequence(
        cells, q, {.alpha = input.alpha, .planned = input.planned});
    if (!std::isfinite(interval.width())) continue;
    SetInterval({interval.low / kNsPerMs, interval.high / kNsPerMs},
                report->mutable_anytime());
  }
}

// Every request is one of the calls, so theirs are the errors.
void AddArms(const Input& input, const std::vector<MetricData>& metrics,
             v1::Report* report) {
  double decisions = 0;
  double expected = 0;
  std::vector<double> due;
  for (const ArmInput& arm : input.arms) {
    decisions += static_cast<double>(arm.decisions);
    double sum = 0;
    for (size_t b = 0; b < learning::kUnitBuckets; ++b) {
      sum += arm.assignment[b * learning::assignment::kCell +
                            learning::assignment::kExpected];
    }
    due.push_back(sum);
    expected += sum;
  }
  report->set_decisions(static_cast<uint64_t>(decisions));
  for (size_t a = 0; a < input.arms.size(); ++a) {
    const ArmInput& from = input.arms[a];
    v1::ArmReport* arm = report->add_arms();
    arm->set_name(from.name);
    arm->set_decisions(from.decisions);
    if (decisions > 0) {
      arm->set_share(static_cast<double>(from.decisions) / decisions);
    }
    if (expected > 0) arm->set_expected_share(due[a] / expected);
    arm->set_probability(from.probability);
    for (const MetricData& metric : metrics) {
      if (metric.input->name != "error" || !metric.input->measured) continue;
      const stats::Successes errors = metric.sums[a].Successes();
      arm->set_finished(static_cast<uint64_t>(errors.trials));
      arm->set_errors(static_cast<uint64_t>(errors.successes));
    }
    AddLatency(from, input, arm);
    arm->set_state(from.state);
    if (from.state != "active") arm->set_state_reason(from.state_reason);
  }
}

// What the covariate explains is taken out, where shares did not move.
void AddAdjusted(const MetricData& data, const Input& input,
                 const Setting& setting, v1::MetricReport* report) {
  if (!input.covariate || setting.adaptive || data.input->cells_only) return;
  std::vector<stats::CrossMoments> arms;
  double sum = 0, count = 0;
  for (const ArmSums& arm : data.sums) {
    arms.push_back(arm.Crossed());
    sum += arms.back().sum_x;
    count += arms.back().count;
  }
  if (!(count > 0)) return;
  const double theta = stats::CupedTheta(arms);
  for (size_t a = 0; a < data.sums.size(); ++a) {
    if (a == input.control) continue;
    const Adjusted adjusted = Adjust(data.arm(input.control), data.arm(a),
                                     theta, sum / count, setting);
    v1::ArmMetric* arm = report->mutable_arms(static_cast<int>(a));
    *arm->mutable_adjusted() = adjusted.difference;
    arm->set_variance_reduction(adjusted.variance_reduction);
  }
}

void AddMetric(const MetricData& data, const Input& input,
               const Setting& setting, v1::MetricReport* report) {
  report->set_name(data.input->name);
  report->set_role(data.input->role);
  report->set_cost(data.input->cost);
  report->set_binary(data.input->binary);
  Setting shared = setting;
  if (input.arms.size() > 2) {
    shared.alpha /= static_cast<double>(input.arms.size() - 1);
  }
  for (size_t a = 0; a < input.arms.size(); ++a) {
    v1::ArmMetric* arm = report->add_arms();
    arm->set_arm(input.arms[a].name);
    arm->set_count(static_cast<uint64_t>(std::llround(data.sums[a].count())));
    arm->set_rewards(
        static_cast<uint64_t>(std::llround(data.sums[a].rewards())));
    *arm->mutable_mean() = MeanEffect(data.arm(a), setting);
    if (a == input.control) continue;
    Comparison comparison =
        Compare(data.arm(input.control), data.arm(a), shared);
    *arm->mutable_difference() = std::move(comparison.difference);
    *arm->mutable_lift() = std::move(comparison.lift);
  }
  AddAdjusted(data, input, shared, report);
}

// Holm over the arms for the reward; Benjamini-Hochberg for all others.
void AdjustP(v1::Report* report) {
  std::vector<v1::Effect*> deciding, explaining;
  for (v1::MetricReport& metric : *report->mutable_metrics()) {
    for (v1::ArmMetric& arm : *metric.mutable_arms()) {
      if (!arm.difference().has_p_fixed()) continue;
      (metric.role() == "reward" ? deciding : explaining)
          .push_back(arm.mutable_difference());
    }
  }
  const auto adjust = [](const std::vector<v1::Effect*>& effects,
                         const auto& method) {
    std::vector<double> p;
    p.reserve(effects.size());
    for (const v1::Effect* effect : effects) p.push_back(effect->p_fixed());
    const std::vector<double> adjusted = method(p);
    for (size_t i = 0; i < effects.size(); ++i) {
      effects[i]->set_p_adjusted(adjusted[i]);
    }
  };
  adjust(deciding, stats::Holm);
  adjust(explaining, stats::BenjaminiHochberg);
}

template <typename Posterior>
void SetPosterior(const std::vector<Posterior>& arms, v1::Report* report) {
  const std::vector<double> best = stats::ProbabilityBest(arms);
  const std::vector<double> loss = stats::ExpectedLoss(arms);
  for (size_t a = 0; a < arms.size(); ++a) {
    v1::ArmReport* arm = report->mutable_arms(static_cast<int>(a));
    arm->set_probability_best(best[a]);
    arm->set_expected_loss(loss[a]);
  }
}

// Of the reward metric: Beta with a uniform prior for a rate of independent
// requests, else normal about the mean. For a cost the best is the least.
void AddPosterior(const MetricData& reward, const Setting& setting,
                  v1::Report* report) {
  const bool beta = reward.input->binary && !setting.adaptive &&
                    !setting.units && !reward.input->cells_only;
  std::vector<stats::BetaPosterior> rates;
  std::vector<stats::NormalPosterior> means;
  for (size_t a = 0; a < reward.sums.size(); ++a) {
    if (beta) {
      const stats::Successes s = reward.sums[a].Successes();
      if (s.trials == 0) return;
      stats::BetaPosterior rate{.a = 1 + s.successes,
                                .b = 1 + s.trials - s.successes};
      if (reward.input->cost) std::swap(rate.a, rate.b);
      rates.push_back(rate);
      continue;
    }
    const stats::MeanEstimate mean = MeanOf(reward.arm(a), setting);
    if (mean.validity != stats::Validity::kValid) return;
    means.push_back({.mean = reward.input->cost ? -mean.mean : mean.mean,
                     .variance = mean.variance});
  }
  if (beta) {
    SetPosterior(rates, report);
  } else {
    SetPosterior(means, report);
  }
}

void AddGuardrails(const Input& input, v1::Report* report) {
  report->set_state(input.state);
  report->set_rolled_back(input.rolled_back);
  for (const learning::GuardrailView& from : input.guardrails) {
    v1::GuardrailReport* guardrail = report->add_guardrails();
    guardrail->set_arm(from.arm);
    guardrail->set_rule(from.rule);
    guardrail->set_action(std::string(Name(from.action)));
    guardrail->set_broken(from.broken);
    guardrail->set_trips(from.trips);
    guardrail->set_reason(from.reason);
  }
}

}  // namespace

v1::Report MakeReport(const Input& input) {
  const std::vector<MetricData> metrics = ReadMetrics(input);
  const Setting setting{.adaptive = input.learns || SharesMoved(metrics),
                        .contextual = input.contextual,
                        .units = !input.unit.empty(),
                        .alpha = input.alpha,
                        .planned = input.planned};
  v1::Report report;
  report.set_experiment(input.experiment);
  report.set_epoch(input.epoch);
  *report.mutable_as_of() = ToProto(input.as_of);
  report.set_policy(input.policy);
  report.set_adaptive(setting.adaptive);
  report.set_unit(input.unit);
  report.set_reward_metric(input.metrics[0].name);
  report.set_control(input.arms[input.control].name);
  report.set_alpha(input.alpha);
  report.set_planned(input.planned);
  AddArms(input, metrics, &report);
  for (const MetricData& metric : metrics) {
    AddMetric(metric, input, setting, report.add_metrics());
  }
  AdjustP(&report);
  AddPosterior(metrics[0], setting, &report);
  AddSegments(input, setting, &report);
  AddGuardrails(input, &report);
  *report.mutable_split() = CheckSplit(input);
  *report.mutable_next() = Advise(report);
  return report;
}

}  // namespace bandit::report
