// SPDX-License-Identifier: Apache-2.0
// What arms do beside their backend, and experiments that have none.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "router/config/checks.h"
#include "router/config/validate.h"

namespace bandit::config {
namespace {

// What gRPC and HTTP/2 say there is not an experiment's to change.
bool IsReserved(std::string_view key) {
  return key.starts_with("grpc-") || key.starts_with("x-bandit-") ||
         key == "content-type" || key == "te" || key == "host" ||
         key == "connection";
}

void ValidateMetadata(const Path& path, const v1::ArmConfig& arm,
                      Report* report) {
  const std::map<std::string, std::string> sorted(arm.metadata().begin(),
                                                  arm.metadata().end());
  for (const auto& [key, value] : sorted) {
    const Path place = path.Entry(key);
    if (const std::string problem = WhyNoMetadataKey(key); !problem.empty()) {
      report->Fail(place, problem);
    } else if (IsReserved(key)) {
      report->Fail(place,
                   "is gRPC's or the router's own, expected another key");
    }
    if (!IsMetadataValue(value)) {
      report->FailValue(place, value,
                        "cannot be the value of a header, expected visible "
                        "ASCII");
    }
  }
}

}  // namespace

void ValidateOverlay(const Path& path, const v1::ExperimentConfig& experiment,
                     Report* report) {
  const Path arms = path.Field("arms");
  const std::vector<Path> paths = ItemPaths(arms, experiment.arms());
  for (size_t i = 0; i < paths.size(); ++i) {
    const v1::ArmConfig& arm = experiment.arms(static_cast<int>(i));
    ValidateMetadata(paths[i].Field("metadata"), arm, report);
    const Path backend = paths[i].Field("backend");
    if (report->Broken(path.Field("overlay")) || report->Broken(paths[i]) ||
        report->Broken(backend)) {
      continue;
    }
    if (!experiment.overlay() && arm.backend().empty()) {
      report->Fail(backend, "is missing, expected text");
    } else if (experiment.overlay() && !arm.backend().empty()) {
      report->Fail(backend,
                   "is given in an overlay, expected metadata or model: "
                   "another experiment chooses the backend");
    }
  }
  CheckMetadataKey(path.Field("forced_arms").Field("metadata"),
                   experiment.forced_arms().metadata(), report);
  if (!experiment.overlay()) return;
  // By value, since a config that is shown has the defaults written out.
  const std::pair<const char*, bool> carried[] = {
      {"timeout", experiment.timeout().seconds() != 0 ||
                      experiment.timeout().nanos() != 0},
      {"retry", experiment.has_retry()},
      {"last_resort", !experiment.last_resort().empty() &&
                          experiment.last_resort() != experiment.control()},
      {"mirror", experiment.has_mirror()},
  };
  for (const auto& [field, given] : carried) {
    if (!given || report->Broken(path.Field(field))) continue;
    report->Fail(path.Field(field),
                 "is given in an overlay, expected it in the experiment that "
                 "chooses the backend");
  }
}

}  // namespace bandit::config
