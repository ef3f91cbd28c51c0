// SPDX-License-Identifier: Apache-2.0
// A file that people wrote, for the YAML reader.
#ifndef BANDIT_ROUTER_CONFIG_READ_FILE_H_
#define BANDIT_ROUTER_CONFIG_READ_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bandit::config {

// The text of the file, or the first kMaxFileBytes + 1 bytes of it. `what` it
// is, for messages: "a config file".
// Fails with NotFound, PermissionDenied or InvalidArgument ("file: what is
// wrong, ...") if it cannot be read.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     std::string_view what);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_READ_FILE_H_
