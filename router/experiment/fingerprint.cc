// SPDX-License-Identifier: Apache-2.0
// Fingerprint and EpochChanges, of router/experiment/plan.h.
#include <algorithm>
#include <map>

#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "router/experiment/plan.h"

namespace bandit::experiment {
namespace {

constexpr std::string_view kWeights = "weights";

// Parts are lines and values are quoted, so nothing that a value holds can be
// taken for another part.
std::string Quoted(std::string_view value) {
  return fmt::format(
      " \"{}\"", absl::CEscape(absl::string_view(value.data(), value.size())));
}

std::string Number(bool present, double value) {
  return present ? fmt::format(" {}", value) : " -";
}

std::string Arms(const v1::ExperimentConfig& config) {
  std::string text;
  for (const v1::ArmConfig& arm : config.arms()) {
    text += Quoted(arm.name()) + Quoted(arm.backend()) +
            Quoted(arm.model().name()) + Quoted(arm.model().version());
    const std::map<std::string, std::string> metadata(arm.metadata().begin(),
                                                      arm.metadata().end());
    for (const auto& [key, value] : metadata) {
      text += " +" + Quoted(key) + Quoted(value);
    }
  }
  return text;
}

// Shares, not weights: 90 and 10 are 9 and 1.
std::string Shares(const v1::ExperimentConfig& config) {
  double sum = 0;
  for (const v1::ArmConfig& arm : config.arms()) sum += arm.weight();
  std::string text;
  for (const v1::ArmConfig& arm : config.arms()) {
    text += fmt::format(" {:.12g}", arm.weight() / sum);
  }
  return text;
}

std::string Metrics(const v1::ExperimentConfig& config) {
  std::string text;
  for (const v1::MetricConfig& metric : config.metrics()) {
    text += Quoted(metric.name()) +
            fmt::format(" {} {}s{:+}ns", static_cast<int>(metric.kind()),
                        metric.window().seconds(), metric.window().nanos()) +
            Number(metric.has_default_(), metric.default_()) +
            Number(metric.has_min(), metric.min()) +
            Number(metric.has_max(), metric.max());
  }
  return text;
}

std::string Features(const v1::ExperimentConfig& config) {
  std::string text;
  for (const v1::FeatureConfig& feature : config.context().features()) {
    text += Quoted(feature.name()) + Quoted(feature.metadata());
    for (const std::string& category : feature.categories()) {
      text += Quoted(category);
    }
    text += fmt::format(" {} {} {} {}", static_cast<int>(feature.transform()),
                        feature.shift(), feature.scale(), feature.missing()) +
            Number(feature.has_min(), feature.min()) +
            Number(feature.has_max(), feature.max());
  }
  return text;
}

std::string Weights(const v1::RewardConfig& reward) {
  const std::map<std::string, double> sorted(reward.weights().begin(),
                                             reward.weights().end());
  std::string text;
  for (const auto& [metric, weight] : sorted) {
    text += Quoted(metric) + fmt::format(" {}", weight);
  }
  return text;
}

// What most configs do not have is no part of theirs, so that those of earlier
// versions stay what they were.
std::string Optional(const v1::ExperimentConfig& config) {
  std::string segments;
  for (const v1::SegmentConfig& segment : config.segments()) {
    segments += Quoted(segment.name()) + Quoted(segment.metadata()) +
                fmt::format(" {}", segment.values_size());
    for (const std::string& value : segment.values()) {
      segments += Quoted(value);
    }
  }
  std::string costs;
  bool costly = false;
  for (const v1::ArmConfig& arm : config.arms()) {
    costs += fmt::format(" {} {}", arm.cost(), arm.cost_per_byte());
    costly |= arm.cost() != 0 || arm.cost_per_byte() != 0;
  }
  std::string text;
  if (!segments.empty()) text += fmt::format("segments:{}\n", segments);
  if (costly) text += fmt::format("costs:{}\n", costs);
  if (config.has_covariate()) {
    text +=
        fmt::format("covariate:{} {}\n", Quoted(config.covariate().metadata()),
                    config.covariate().missing());
  }
  return text;
}

using Parts = std::map<std::string_view, std::string_view>;

Parts Split(std::string_view fingerprint) {
  Parts parts;
  while (!fingerprint.empty()) {
    const std::string_view line = fingerprint.substr(0, fingerprint.find('\n'));
    fingerprint.remove_prefix(std::min(line.size() + 1, fingerprint.size()));
    const size_t colon = line.find(':');
    if (colon == line.npos) continue;
    parts.emplace(line.substr(0, colon), line.substr(colon + 1));
  }
  return parts;
}

}  // namespace

std::string Fingerprint(const v1::ExperimentConfig& config,
                        const v1::LayerConfig* layer) {
  const std::string& reward = config.has_reward() || config.metrics().empty()
                                  ? config.reward().metric()
                                  : config.metrics(0).name();
  std::string text = fmt::format(
      "arms:{}\nunit:{}\nsalt:{}\nreward:{}\nmetrics:{}\nfeatures:{}\n",
      Arms(config), Quoted(config.unit().metadata()),
      Quoted(config.salt().empty() ? config.name() : config.salt()),
      Quoted(reward) + Weights(config.reward()), Metrics(config),
      Features(config));
  text += Optional(config);
  // Without any, the text is what it was before there were layers.
  if (layer != nullptr) {
    text += fmt::format(
        "layer:{}{}{}\n", Quoted(layer->name()),
        Quoted(layer->unit().metadata()),
        Quoted(layer->salt().empty() ? layer->name() : layer->salt()));
  }
  if (config.overlay()) text += "overlay: true\n";
  if (config.policy().name() == "fixed_split") {
    text += fmt::format("{}:{}\n", kWeights, Shares(config));
  }
  return text;
}

std::vector<std::string> EpochChanges(std::string_view before,
                                      std::string_view after) {
  const Parts old_parts = Split(before);
  const Parts new_parts = Split(after);
  std::vector<std::string> changes;
  for (const auto& [name, text] : old_parts) {
    const auto it = new_parts.find(name);
    const bool gone = it == new_parts.end();
    if (gone ? name != kWeights : it->second != text)
      changes.emplace_back(name);
  }
  for (const auto& [name, text] : new_parts) {
    if (name != kWeights && !old_parts.contains(name)) {
      changes.emplace_back(name);
    }
  }
  return changes;
}

}  // namespace bandit::experiment
