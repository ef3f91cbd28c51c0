// SPDX-License-Identifier: Apache-2.0
// Loads the router's configuration.
//
//   absl::StatusOr<LoadedConfig> config = config::Load("router.yaml");
//   if (!config.ok()) {
//     std::cerr << config.status().message() << '\n';  // One line an error.
//     return 2;
//   }
#ifndef BANDIT_ROUTER_CONFIG_LOAD_H_
#define BANDIT_ROUTER_CONFIG_LOAD_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "bandit/v1/config.pb.h"
#include "router/config/environment.h"

namespace bandit::config {

struct LoadedConfig {
  // Valid, and with every default filled in: readers need none of their own.
  v1::RouterConfig proto;
  // Equal configs have equal digests, however they are written; 32 hexadecimal
  // digits. It may be shown: of a secret it knows only whether there is one.
  std::string digest;
  // What is allowed but most likely not meant, one line each:
  // `file:line: what`.
  std::vector<std::string> warnings;

  // Whether the configs are the same, their secrets included.
  bool operator==(const LoadedConfig& other) const;
};

// Whether the certificates that a config names are read and judged, too.
enum class Files { kIgnore, kRead };

// Reads `text`; errors speak of `file_name`.
// Fails with InvalidArgument, all errors in the order of their lines, each one
// line `file:line: what is wrong, what was expected`. No message holds a
// secret; a wrong value that came from the environment is shown as the file
// has it (`${NAME}`).
// Cost: bounded by the text, at most 1 MiB; never blocks, unless it reads
// files.
absl::StatusOr<LoadedConfig> LoadText(std::string_view text,
                                      std::string_view file_name,
                                      const Environment& env,
                                      Files files = Files::kIgnore);

// Reads the file at `path`.
// Fails as LoadText, or with NotFound, PermissionDenied or InvalidArgument
// ("file: what is wrong, ...") if it cannot be read.
absl::StatusOr<LoadedConfig> Load(const std::string& path,
                                  const Environment& env,
                                  Files files = Files::kIgnore);
// In the process's environment, with the files that it names.
absl::StatusOr<LoadedConfig> Load(const std::string& path);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_LOAD_H_
