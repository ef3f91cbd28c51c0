// SPDX-License-Identifier: Apache-2.0
#include "router/config/address.h"
#include "router/config/validate.h"

namespace bandit::config {

void ValidateObserve(const v1::RouterConfig& config, Report* report) {
  const Path collector = Path().Field("tracing").Field("collector");
  // What is empty was reported by the reader.
  if (const std::string& text = config.tracing().collector(); !text.empty()) {
    const absl::StatusOr<Address> address = ParseBackendAddress(text);
    if (!address.ok()) {
      report->FailValue(collector, WithoutSecrets(text),
                        std::string(address.status().message()));
    }
  }
  const Path path = Path().Field("access_log").Field("path");
  const std::string& file = config.access_log().path();
  if (file.empty() || file == "stdout" || file == "stderr") return;
  if (!file.starts_with('/') || file.ends_with('/')) {
    report->FailValue(path, file,
                      "is no absolute path of a file, expected stdout, stderr "
                      "or /path/of/access.log");
  }
}

}  // namespace bandit::config
