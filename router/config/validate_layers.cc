// SPDX-License-Identifier: Apache-2.0
// Layers, the global holdout, and what experiments take of them.
#include <string>
#include <vector>

#include "fmt/format.h"
#include "router/config/checks.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

// Two experiments of one layer take no unit twice.
void CheckDisjoint(const v1::RouterConfig& config,
                   const std::vector<Path>& experiments, Report* report) {
  for (int i = 0; i < config.experiments_size(); ++i) {
    const v1::LayerShareConfig& mine = config.experiments(i).layer();
    for (int j = 0; j < i; ++j) {
      const v1::LayerShareConfig& other = config.experiments(j).layer();
      if (mine.name().empty() || mine.name() != other.name() ||
          mine.from() >= other.to() || other.from() >= mine.to()) {
        continue;
      }
      const Path path = experiments[static_cast<size_t>(i)].Field("layer");
      const Path before = experiments[static_cast<size_t>(j)].Field("layer");
      const bool read = !report->Broken(path.Field("from")) &&
                        !report->Broken(path.Field("to")) &&
                        !report->Broken(before.Field("from")) &&
                        !report->Broken(before.Field("to"));
      if (!read) continue;
      report->Fail(
          path,
          fmt::format("takes units of {}, which has [{}, {}), expected "
                      "shares that do not overlap",
                      config.experiments(j).name(), other.from(), other.to()));
      break;
    }
  }
}

void ValidateShare(const Path& path, const v1::LayerShareConfig& share,
                   const std::vector<std::string>& layers, Report* report) {
  if (!report->Broken(Path().Field("layers"))) {
    CheckReference(path.Field("name"), share.name(), "layers", layers, report);
  }
  const Path from = path.Field("from");
  if (share.from() >= share.to() && !report->Broken(from) &&
      !report->Broken(path.Field("to")) && !report->Broken(path)) {
    report->Fail(path,
                 fmt::format("takes no units, expected from = {} below to = {}",
                             share.from(), share.to()));
  }
}

}  // namespace

void ValidateLayers(const v1::RouterConfig& config, Report* report) {
  const Path layers = Path().Field("layers");
  const std::vector<Path> paths = ItemPaths(layers, config.layers());
  const std::vector<std::string> names = NamesOf(config.layers());
  CheckNames(paths, names, report);
  for (size_t i = 0; i < paths.size(); ++i) {
    CheckMetadataKey(paths[i].Field("unit").Field("metadata"),
                     config.layers(static_cast<int>(i)).unit().metadata(),
                     report);
  }
  CheckMetadataKey(Path().Field("holdout").Field("unit").Field("metadata"),
                   config.holdout().unit().metadata(), report);
  const std::vector<Path> experiments =
      ItemPaths(Path().Field("experiments"), config.experiments());
  for (size_t i = 0; i < experiments.size(); ++i) {
    const v1::ExperimentConfig& experiment =
        config.experiments(static_cast<int>(i));
    if (!experiment.has_layer()) continue;
    ValidateShare(experiments[i].Field("layer"), experiment.layer(), names,
                  report);
  }
  CheckDisjoint(config, experiments, report);
}

}  // namespace bandit::config
