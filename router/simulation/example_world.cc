// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/example_world.h"

#include <algorithm>

#include "absl/algorithm/container.h"
#include "fmt/format.h"
#include "router/simulation/world.h"

namespace bandit::simulation {
namespace {

using experiment::Experiment;
using experiment::MetricSource;

// Arm i's mean of the metric, in the middle of what it can be.
std::string Mean(const experiment::Metric& metric, size_t arm, size_t arms) {
  const double step = static_cast<double>(arm) / static_cast<double>(arms);
  if (metric.kind == policies::RewardKind::kBinary) {
    return fmt::format("mean: {:.3g}", 0.3 + 0.1 * step);
  }
  double low = metric.min.value_or(metric.max.value_or(20) - 20);
  const double high = metric.max.value_or(low + 20);
  low += 0.4 * (high - low);
  return fmt::format("mean: {:.4g}, sd: {:.3g}",
                     low + 0.1 * (high - low) * step, 0.1 * (high - low));
}

bool IsMadeOf(const std::vector<Part>& parts, MetricSource source) {
  return absl::c_any_of(
      parts, [source](const Part& part) { return part.source == source; });
}

// One arm, as the entries of a map in YAML's short form.
std::string Arm(const Experiment& experiment, size_t arm,
                const std::vector<Part>& parts) {
  const size_t arms = experiment.arms.size();
  std::vector<std::string> entries = {
      fmt::format("name: {}", experiment.arms[arm].name)};
  std::vector<std::string> metrics;
  for (const Part& part : parts) {
    if (part.source != MetricSource::kFeedback) continue;
    const experiment::Metric& metric = experiment.metrics[part.metric];
    metrics.push_back(
        experiment.reward_parts.empty()
            ? fmt::format("reward: {{{}}}", Mean(metric, arm, arms))
            : fmt::format("{}: {{{}}}", metric.name, Mean(metric, arm, arms)));
  }
  if (!metrics.empty()) {
    entries.push_back(
        experiment.reward_parts.empty()
            ? metrics[0]
            : fmt::format("metrics: {{{}}}", fmt::join(metrics, ", ")));
  }
  // In percent of what the first arm takes.
  const size_t percent = 100 - 10 * arm / arms;
  entries.push_back(fmt::format("latency: {{median: {}ms, p99: {}ms}}",
                                percent / 2, percent * 2));
  entries.push_back(
      fmt::format("error: {:.3g}", 0.0001 * static_cast<double>(percent)));
  if (IsMadeOf(parts, MetricSource::kResponseBytes) ||
      IsMadeOf(parts, MetricSource::kCost)) {
    entries.push_back(fmt::format("response_bytes: {}", 20 * percent));
  }
  return fmt::format("  - {{{}}}\n", fmt::join(entries, ", "));
}

std::string Features(const Experiment& experiment) {
  std::string text;
  for (const v1::FeatureConfig& feature :
       experiment.config.context().features()) {
    if (feature.categories().empty()) {
      text += fmt::format("  {}: {{mean: 100, sd: 50, shape: lognormal}}\n",
                          feature.name());
      continue;
    }
    std::vector<std::string> shares;
    for (const std::string& category : feature.categories()) {
      shares.push_back(fmt::format("\"{}\": {:.3g}", category,
                                   0.9 / feature.categories_size()));
    }
    text += fmt::format("  {}: {{shares: {{{}}}}}\n", feature.name(),
                        fmt::join(shares, ", "));
  }
  if (text.empty()) return text;
  return "\n# What requests are like. A shares' rest is no category that is "
         "listed.\nfeatures:\n" +
         text;
}

// What else an arm's values can have, as comments.
std::string Hints(const Experiment& experiment) {
  std::string text =
      "\n# What is worth trying of an arm. It gets worse at once, or by and "
      "by:\n"
      "#   reward: {mean: 0.3, changes: [{at: 10m, mean: 0.2}]}\n"
      "#   reward: {mean: 0.3, changes: [{at: 10m, over: 1h, mean: 0.2}]}\n";
  const std::vector<std::string> columns = experiment.features.ColumnNames();
  if (columns.size() > 1) {
    text += fmt::format(
        "# Its reward depends on the request; the columns are {}:\n"
        "#   reward: {{mean: 0.3, effects: {{\"{}\": 0.5}}}}\n",
        fmt::join(columns.begin() + 1, columns.end(), ", "), columns.back());
  }
  return text;
}

}  // namespace

std::string ExampleWorld(const Experiment& experiment) {
  const std::vector<Part> parts = PartsOf(experiment);
  const bool fed_back = IsMadeOf(parts, MetricSource::kFeedback);
  std::string text = fmt::format(
      "# A world for experiment {}, with made-up numbers. Only the arms and "
      "what\n"
      "# their reward is made of must be said: docs/simulate.md.\n",
      experiment.name);
  text += "\n# Truth: what each arm really gives.\narms:\n";
  for (size_t a = 0; a < experiment.arms.size(); ++a) {
    text += Arm(experiment, a, parts);
  }
  if (fed_back) {
    text += Hints(experiment);
    text +=
        "\n# How long after the response a reward comes, and how many never "
        "do.\ndelay: {median: 10s, p99: 2m}\nlost: 0.01\n";
  }
  if (!experiment.unit_key.empty()) {
    text +=
        "\n# Who asks: how many there are, and how likely a request is from "
        "one who came\n# before.\nunits: {number: 10000, repeat: 0.5}\n";
  }
  text += Features(experiment);
  return text +
         "\n# Requests a second; --rate is the same. Absent: 100, or so "
         "few that a run lasts\n# ten windows of a reward with a "
         "default.\n# rate: 20\n";
}

}  // namespace bandit::simulation
