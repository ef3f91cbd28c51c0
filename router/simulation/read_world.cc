// SPDX-License-Identifier: Apache-2.0
// What the schema of a world cannot say: that it is one for this experiment.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "fmt/format.h"
#include "router/config/checks.h"
#include "router/config/document.h"
#include "router/config/nearest.h"
#include "router/config/reader.h"
#include "router/config/report.h"
#include "router/config/scalar.h"
#include "router/simulation/world.h"
#include "router/simulation/world_checks.h"

namespace bandit::simulation {
namespace {

using config::AnyOf;
using config::DidYouMean;
using config::Path;
using config::Report;
using experiment::Experiment;
using experiment::MetricSource;

class Checker {
 public:
  Checker(const Experiment& experiment, Report* report)
      : experiment_(experiment), report_(*report) {
    columns_ = experiment.features.ColumnNames();
    // The intercept is the mean.
    if (!columns_.empty()) columns_.erase(columns_.begin());
    for (const experiment::Arm& arm : experiment.arms) {
      arms_.push_back(arm.name);
    }
    for (const Part& part : PartsOf(experiment)) {
      if (part.source == MetricSource::kFeedback) {
        fed_back_.push_back(experiment.metrics[part.metric].name);
      } else {
        measured_.push_back(part.source);
      }
    }
    weighted_ = !experiment.reward_parts.empty();
  }

  void Check(const v1::World& world) {
    CheckArms(world);
    CheckFeatures(world, experiment_, &report_);
    if (world.has_delay())
      CheckTime(Path().Field("delay"), world.delay(), &report_);
    if (fed_back_.empty()) {
      for (const char* field : {"delay", "lost"}) {
        const Path path = Path().Field(field);
        if (!report_.Given(path)) continue;
        report_.Fail(path,
                     "is of rewards that are fed back, and this experiment's "
                     "reward is measured by the router, expected none");
      }
    }
    const Path units = Path().Field("units");
    if (report_.Given(units) && experiment_.unit_key.empty()) {
      report_.Fail(units,
                   fmt::format("is given, but experiment {} has no `unit`: "
                               "every request is its own, expected none",
                               experiment_.name));
    }
  }

 private:
  void CheckArms(const v1::World& world) {
    const Path list = Path().Field("arms");
    const std::vector<Path> paths = config::ItemPaths(list, world.arms());
    const std::vector<std::string> names = config::NamesOf(world.arms());
    config::CheckNames(paths, names, &report_);
    for (size_t i = 0; i < paths.size(); ++i) {
      config::CheckReference(paths[i].Field("name"), names[i],
                             fmt::format("arms of {}", experiment_.name), arms_,
                             &report_);
      CheckArm(paths[i], world.arms(static_cast<int>(i)));
    }
    // A name that is wrong most likely means one that is missing.
    if (!report_.ok() || paths.empty()) return;
    for (const std::string& arm : arms_) {
      if (absl::c_linear_search(names, arm)) continue;
      report_.Fail(list, fmt::format("has no {}, expected every arm of {}: {}",
                                     arm, experiment_.name, AnyOf(arms_)));
    }
  }

  void CheckArm(const Path& path, const v1::WorldArm& arm) {
    const Path reward = path.Field("reward");
    const Path metrics = path.Field("metrics");
    if (arm.has_reward() && (weighted_ || fed_back_.empty())) {
      report_.Fail(
          reward, weighted_
                      ? fmt::format("is given, but the reward is weighted, "
                                    "expected `metrics` with {}",
                                    AnyOf(fed_back_))
                      : "is given, but the reward is what the router measures, "
                        "expected `latency`, `error` or `response_bytes`");
    } else if (arm.has_reward()) {
      CheckMetric(reward, arm.reward(), fed_back_[0]);
    } else if (!weighted_ && !fed_back_.empty()) {
      report_.Fail(path,
                   fmt::format("has no reward, expected what {} is there: "
                               "`reward: {{mean: ...}}`",
                               fed_back_[0]));
    }
    CheckMetrics(metrics, arm);
    if (arm.has_latency())
      CheckTime(path.Field("latency"), arm.latency(), &report_);
    for (const MetricSource source : measured_)
      CheckMeasured(path, arm, source);
  }

  void CheckMetrics(const Path& path, const v1::WorldArm& arm) {
    const std::vector<std::string> known =
        weighted_ ? fed_back_ : std::vector<std::string>();
    const std::map<std::string, v1::WorldMetric> given(arm.metrics().begin(),
                                                       arm.metrics().end());
    for (const auto& [name, metric] : given) {
      const Path place = path.Entry(name);
      if (absl::c_linear_search(known, name)) {
        CheckMetric(place, metric, name);
      } else if (!weighted_) {
        report_.Fail(place, fmt::format("is not of a weighted reward, expected "
                                        "`reward` instead of `metrics`"));
      } else {
        report_.Fail(place,
                     fmt::format("is no part of the reward that is fed back, "
                                 "expected {}{}",
                                 AnyOf(known), DidYouMean(name, known)));
      }
    }
    for (const std::string& name : known) {
      if (given.count(name) > 0 || report_.Broken(path)) continue;
      report_.Fail(path, fmt::format("has no {}, which the reward is made of, "
                                     "expected `{}: {{mean: ...}}`",
                                     name, name));
    }
  }

  // What a measured reward is measured of must be said.
  void CheckMeasured(const Path& path, const v1::WorldArm& arm,
                     MetricSource source) {
    std::string_view missing;
    if (source == MetricSource::kLatencyMs || source == MetricSource::kTtfbMs) {
      if (!arm.has_latency()) missing = "latency";
    } else if (source == MetricSource::kError) {
      if (!arm.has_error()) missing = "error";
    } else if (source == MetricSource::kResponseBytes) {
      if (!report_.Given(path.Field("response_bytes"))) {
        missing = "response_bytes";
      }
    }
    if (missing.empty() || report_.Broken(path.Field(missing))) return;
    report_.Fail(path, fmt::format("has no {}, which the reward is made of, "
                                   "expected one",
                                   missing));
  }

  void CheckMetric(const Path& path, const v1::WorldMetric& described,
                   const std::string& name) {
    const auto metric = absl::c_find_if(
        experiment_.metrics,
        [&](const experiment::Metric& one) { return one.name == name; });
    const bool binary = metric->kind == policies::RewardKind::kBinary;
    CheckMean(path.Field("mean"), described.mean(), *metric);
    if (binary && described.has_sd()) {
      report_.Fail(path.Field("sd"),
                   fmt::format("is given, but {} is 0 or 1, expected a mean "
                               "alone",
                               name));
    }
    if (!binary && described.link() == v1::WORLD_LINK_LOGISTIC) {
      report_.Fail(path.Field("link"),
                   fmt::format("is logistic, but {} is no probability, "
                               "expected linear",
                               name));
    }
    const std::map<std::string, double> effects(described.effects().begin(),
                                                described.effects().end());
    for (const auto& [column, effect] : effects) {
      const Path place = path.Field("effects").Entry(column);
      if (absl::c_linear_search(columns_, column)) {
        CheckSize(place, effect, &report_);
      } else {
        report_.Fail(place,
                     fmt::format("is no column of {}'s features, expected {}{}",
                                 experiment_.name, AnyOf(columns_),
                                 DidYouMean(column, columns_)));
      }
    }
    CheckChanges(path.Field("changes"), described, *metric);
  }

  void CheckMean(const Path& path, double mean,
                 const experiment::Metric& metric) {
    if (report_.Broken(path)) return;
    if (metric.kind != policies::RewardKind::kBinary) {
      CheckSize(path, mean, &report_);
    } else if (!(mean >= 0 && mean <= 1)) {
      report_.FailValue(path, fmt::format("{}", mean),
                        fmt::format("is no mean of {}, which is 0 or 1, "
                                    "expected a number in [0, 1]",
                                    metric.name));
    }
  }

  void CheckChanges(const Path& list, const v1::WorldMetric& described,
                    const experiment::Metric& metric) {
    absl::Duration free;
    for (int i = 0; i < described.changes_size(); ++i) {
      const v1::WorldChange& change = described.changes(i);
      const Path path = list.Item(static_cast<size_t>(i), "");
      CheckMean(path.Field("mean"), change.mean(), metric);
      const absl::Duration at = config::FromProto(change.at());
      if (at < free && !report_.Broken(path.Field("at"))) {
        report_.FailValue(path.Field("at"), absl::FormatDuration(at),
                          fmt::format("is before the last change has ended, "
                                      "expected at least {}",
                                      absl::FormatDuration(free)));
      }
      free = std::max(free, at + config::FromProto(change.over()));
    }
  }

  const Experiment& experiment_;
  Report& report_;
  std::vector<std::string> columns_;
  std::vector<std::string> arms_;
  std::vector<std::string> fed_back_;
  std::vector<MetricSource> measured_;
  bool weighted_ = false;
};

}  // namespace

absl::StatusOr<v1::World> ReadWorld(std::string_view text,
                                    std::string_view file_name,
                                    const config::Environment& env,
                                    const Experiment& experiment) {
  Report report(file_name);
  v1::World world;
  const auto root = config::ParseDocument(text, &report, "`arms`");
  if (root.has_value()) {
    config::ReadMessage(*root, env, &world, &report);
    Checker(experiment, &report).Check(world);
  }
  if (!report.ok()) return report.Status();
  return world;
}

}  // namespace bandit::simulation
