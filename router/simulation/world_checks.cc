// SPDX-License-Identifier: Apache-2.0
#include "router/simulation/world_checks.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "fmt/format.h"
#include "router/config/nearest.h"
#include "router/config/scalar.h"

namespace bandit::simulation {

using config::AnyOf;
using config::DidYouMean;
using config::Path;
using config::Report;
using experiment::Experiment;

void CheckSize(const Path& path, double value, Report* report) {
  if (report->Broken(path) || std::abs(value) <= 1e50) return;
  report->FailValue(path, fmt::format("{}", value),
                    "is too large, expected a number in [-1e50, 1e50]");
}

void CheckTime(const Path& path, const v1::WorldTime& time, Report* report) {
  if (!time.has_p99()) return;
  const absl::Duration median = config::FromProto(time.median());
  const absl::Duration p99 = config::FromProto(time.p99());
  if (p99 >= median) return;
  report->FailValue(path.Field("p99"), absl::FormatDuration(p99),
                    fmt::format("is below the median {}, expected at least "
                                "that",
                                absl::FormatDuration(median)));
}

namespace {

void CheckFeature(const Path& path, const v1::WorldFeature& described,
                  const v1::FeatureConfig& feature, Report* report) {
  if (feature.categories().empty()) {
    if (!described.shares().empty()) {
      report->Fail(path.Field("shares"),
                   "is of categories, but the feature is a number, expected "
                   "`mean` and `sd`");
    }
    if (!described.has_mean() && described.has_sd()) {
      report->Fail(path.Field("sd"), "is given alone, expected a mean, too");
    }
    if (described.shape() == v1::WORLD_SHAPE_LOGNORMAL &&
        !(described.mean() > 0)) {
      report->Fail(path, "is lognormal, expected a mean above 0");
    }
    CheckSize(path.Field("mean"), described.mean(), report);
    return;
  }
  for (const char* field : {"mean", "sd", "shape"}) {
    if (!report->Given(path.Field(field))) continue;
    report->Fail(path.Field(field),
                 "is of a number, but the feature has categories, expected "
                 "`shares`");
  }
  const std::vector<std::string> categories(feature.categories().begin(),
                                            feature.categories().end());
  const std::map<std::string, double> shares(described.shares().begin(),
                                             described.shares().end());
  double sum = 0;
  for (const auto& [category, share] : shares) {
    const Path place = path.Field("shares").Entry(category);
    sum += share;
    if (!absl::c_linear_search(categories, category)) {
      report->Fail(
          place, fmt::format("is no category, expected {}{}", AnyOf(categories),
                             DidYouMean(category, categories)));
    } else if (!(share >= 0 && share <= 1)) {
      report->FailValue(place, fmt::format("{}", share),
                        "is no share, expected a number in [0, 1]");
    }
  }
  // 1e-9: thirds as people write them.
  if (sum > 1 + 1e-9) {
    report->FailValue(path.Field("shares"), fmt::format("{:.6g}", sum),
                      "in all, expected at most 1");
  }
}

}  // namespace

void CheckFeatures(const v1::World& world, const Experiment& experiment,
                   Report* report) {
  std::vector<std::string> names;
  for (const v1::FeatureConfig& feature :
       experiment.config.context().features()) {
    names.push_back(feature.name());
  }
  const std::map<std::string, v1::WorldFeature> given(world.features().begin(),
                                                      world.features().end());
  for (const auto& [name, described] : given) {
    const Path path = Path().Field("features").Entry(name);
    const auto at = absl::c_find(names, name);
    if (at == names.end()) {
      report->Fail(path, fmt::format("is no feature of {}, expected {}{}",
                                     experiment.name, AnyOf(names),
                                     DidYouMean(name, names)));
      continue;
    }
    CheckFeature(path, described,
                 experiment.config.context().features(
                     static_cast<int>(at - names.begin())),
                 report);
  }
}

}  // namespace bandit::simulation
