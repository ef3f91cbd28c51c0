// SPDX-License-Identifier: Apache-2.0
#include "router/report/segment_reports.h"

#include <algorithm>
#include <vector>

#include "stats/segments.h"

namespace bandit::report {
namespace {

// One value's sums, by arm.
std::vector<ArmSums> SumsOf(const Input& input, size_t segment, size_t value) {
  const MetricInput& reward = input.metrics[0];
  const CellRange cells{.first = input.layout.first_cell(segment, value),
                        .count = learning::kSegmentBuckets};
  std::vector<ArmSums> sums;
  for (const std::vector<double>& arm : reward.arms) {
    sums.emplace_back(input.layout, reward.center, arm, cells);
  }
  return sums;
}

void CompareValues(const Input& input, size_t arm, const Setting& setting,
                   const std::vector<std::vector<ArmSums>>& values,
                   v1::SegmentReport* report) {
  std::vector<stats::MeanPair> pairs;
  for (const std::vector<ArmSums>& sums : values) {
    const ArmData c{.sums = &sums[input.control], .cells_only = true};
    const ArmData a{.sums = &sums[arm], .cells_only = true};
    stats::MeanPair pair = PairOf(c, a, setting);
    // For the rule of the fewest units: decisions, not buckets.
    pair.control.count = c.sums->count();
    pair.treatment.count = a.sums->count();
    pairs.push_back(pair);
  }
  const stats::SegmentReport compared =
      stats::CompareSegments(pairs, {.alpha = setting.alpha});
  for (size_t v = 0; v < values.size(); ++v) {
    const stats::SegmentEffect& effect = compared.segments[v];
    v1::Effect* difference = report->mutable_values(static_cast<int>(v))
                                 ->mutable_arms(static_cast<int>(arm))
                                 ->mutable_difference();
    if (effect.difference.validity != stats::Validity::kValid) {
      difference->clear_fixed();
      difference->clear_p_fixed();
      difference->set_reason(std::string(Describe(effect.difference.validity)));
      continue;
    }
    difference->set_p_adjusted(effect.adjusted_p);
  }
  if (compared.heterogeneity.validity == stats::Validity::kValid) {
    (*report->mutable_heterogeneity())[input.arms[arm].name] =
        compared.heterogeneity.p;
  }
}

}  // namespace

void AddSegments(const Input& input, const Setting& setting,
                 v1::Report* report) {
  for (size_t s = 0; s < input.segments.size(); ++s) {
    v1::SegmentReport* segment = report->add_segments();
    segment->set_segment(input.segments[s].name);
    std::vector<std::vector<ArmSums>> values;
    // In the config's order, "other" last.
    for (size_t i = 0; i < input.segments[s].size(); ++i) {
      const size_t number = (i + 1) % input.segments[s].size();
      const std::vector<ArmSums>& sums =
          values.emplace_back(SumsOf(input, s, number));
      v1::SegmentValue* value = segment->add_values();
      value->set_value(number == 0 ? "other"
                                   : input.segments[s].values[number - 1]);
      for (size_t a = 0; a < input.arms.size(); ++a) {
        v1::ArmMetric* arm = value->add_arms();
        const ArmData data{.sums = &sums[a], .cells_only = true};
        arm->set_arm(input.arms[a].name);
        arm->set_count(static_cast<uint64_t>(sums[a].count()));
        *arm->mutable_mean() = MeanEffect(data, setting);
        arm->mutable_mean()->clear_anytime();
        arm->mutable_mean()->clear_anytime_method();
        if (a == input.control) continue;
        const ArmData control{.sums = &sums[input.control], .cells_only = true};
        Comparison comparison = Compare(control, data, setting);
        for (v1::Effect* effect : {&comparison.difference, &comparison.lift}) {
          effect->clear_anytime();
          effect->clear_anytime_method();
        }
        *arm->mutable_difference() = std::move(comparison.difference);
        *arm->mutable_lift() = std::move(comparison.lift);
      }
    }
    for (size_t a = 0; a < input.arms.size(); ++a) {
      if (a != input.control) {
        CompareValues(input, a, setting, values, segment);
      }
    }
  }
}

}  // namespace bandit::report
