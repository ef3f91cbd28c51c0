// SPDX-License-Identifier: Apache-2.0
#include "router/config/validate.h"

#include <algorithm>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "router/config/address.h"
#include "router/config/checks.h"
#include "router/config/scalar.h"

namespace bandit::config {
namespace {

std::string_view ToView(absl::string_view text) {
  return {text.data(), text.size()};
}

struct Listener {
  Path path;
  std::string_view text;
  Address address;
};

bool Collide(const Address& a, const Address& b) {
  const auto any = [](const Address& address) {
    return address.host == "0.0.0.0" || address.host == "::";
  };
  return a.port != 0 && a.port == b.port &&
         (a.host == b.host || any(a) || any(b));
}

void CheckListeners(const v1::RouterConfig& config, Report* report) {
  const std::pair<std::string_view, std::string_view> fields[] = {
      {"listen", config.listen()},
      {"control", config.control()},
      {"admin", config.admin()},
  };
  std::vector<Listener> listeners;
  for (const auto& [name, text] : fields) {
    const Path path = Path().Field(name);
    if (report->Broken(path)) continue;
    absl::StatusOr<Address> address = ParseListenAddress(text);
    if (!address.ok()) {
      report->FailValue(path, WithoutSecrets(text),
                        ToView(address.status().message()));
      continue;
    }
    for (const Listener& other : listeners) {
      if (!Collide(*address, other.address)) continue;
      // Of the two, the one that the file gives can be mended.
      const bool mine = report->Given(path);
      report->FailValue(mine ? path : other.path, mine ? text : other.text,
                        fmt::format("has the port of `{}`, expected another",
                                    (mine ? other.path : path).shown()));
    }
    listeners.push_back({path, text, *std::move(address)});
  }
}

void CheckState(std::string_view state, Report* report) {
  const Path path = Path().Field("state");
  constexpr std::string_view kSqlite = "sqlite://";
  if (report->Broken(path) || state == "memory:") return;
  if (state.starts_with("redis://") || state.starts_with("rediss://")) {
    report->FailValue(path, WithoutSecrets(state),
                      "needs Redis, which is not in this build, expected "
                      "sqlite:///path or memory:");
  } else if (!state.starts_with(kSqlite)) {
    report->FailValue(path, WithoutSecrets(state),
                      "is not a state address, expected sqlite:///path or "
                      "memory:");
  } else if (const std::string_view file = state.substr(kSqlite.size());
             !file.starts_with('/') || file.ends_with('/')) {
    report->FailValue(path, state,
                      "has no absolute path of a file, expected "
                      "sqlite:///path/of/state.db");
  }
}

void CheckOutliers(const Path& path, const v1::OutlierConfig& outliers,
                   Report* report) {
  const Path base_path = path.Field("base_ejection");
  const Path max_path = path.Field("max_ejection");
  if (report->Broken(base_path) || report->Broken(max_path)) return;
  const absl::Duration base = FromProto(outliers.base_ejection());
  const absl::Duration max = FromProto(outliers.max_ejection());
  if (base <= max) return;
  // Of the two, the one that the file gives can be mended.
  if (report->Given(max_path)) {
    report->FailValue(max_path, absl::FormatDuration(max),
                      fmt::format("is below base_ejection = {}, expected "
                                  "base_ejection <= max_ejection",
                                  absl::FormatDuration(base)));
  } else {
    report->FailValue(base_path, absl::FormatDuration(base),
                      fmt::format("is above max_ejection = {}, expected "
                                  "base_ejection <= max_ejection",
                                  absl::FormatDuration(max)));
  }
}

void CheckBackend(const Path& path, std::string_view name,
                  const v1::BackendConfig& backend, Report* report) {
  if (!IsName(name)) {
    report->Fail(path,
                 "is not a name, expected 1 to 128 letters, digits, _, - and "
                 ".");
  }
  const Path addresses = path.Field("address");
  for (int i = 0; i < backend.address_size(); ++i) {
    const Path item = addresses.Item(i, "");
    const Path place = report->Given(item) ? item : addresses;
    const std::string& text = backend.address(i);
    if (text.empty()) continue;  // Reported by the reader.
    absl::StatusOr<Address> address = ParseBackendAddress(text);
    if (!address.ok()) {
      report->FailValue(place, WithoutSecrets(text),
                        ToView(address.status().message()));
    } else if (std::find(backend.address().begin(),
                         backend.address().begin() + i,
                         text) != backend.address().begin() + i) {
      report->FailValue(place, text,
                        "is given twice, expected each address once");
    }
  }
  CheckOutliers(path.Field("outliers"), backend.outliers(), report);
}

}  // namespace

void ValidateConfig(v1::RouterConfig* config, Report* report) {
  CheckListeners(*config, report);
  CheckState(config->state(), report);
  if (config->has_tls()) {
    ValidateListenTls(Path().Field("tls"), config->tls(), report);
  }
  if (config->has_control_tls()) {
    ValidateListenTls(Path().Field("control_tls"), config->control_tls(),
                      report);
  }
  ValidateControlToken(config->control_token(), report);
  ValidateIdentities(*config, report);

  const Path backends = Path().Field("backends");
  std::vector<std::string> names;
  for (const auto& [name, backend] : config->backends()) names.push_back(name);
  // A protobuf map has no order; errors have.
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const v1::BackendConfig& backend = config->backends().at(name);
    CheckBackend(backends.Entry(name), name, backend, report);
    if (backend.has_tls()) {
      ValidateBackendTls(backends.Entry(name).Field("tls"), backend, report);
    }
  }
  if (!report->Broken(backends)) {
    CheckReference(Path().Field("default_backend"), config->default_backend(),
                   "backends", names, report);
  }

  CheckMetadataKey(Path().Field("join").Field("metadata"),
                   config->join().metadata(), report);

  ValidateObserve(*config, report);
  ValidateWebhooks(*config, report);

  const Path experiments = Path().Field("experiments");
  const std::vector<Path> paths = ItemPaths(experiments, config->experiments());
  CheckNames(paths, NamesOf(config->experiments()), report);
  for (int i = 0; i < config->experiments_size(); ++i) {
    ValidateExperiment(paths[i], names, config->mutable_experiments(i), report);
  }
  ValidateLayers(*config, report);
}

}  // namespace bandit::config
