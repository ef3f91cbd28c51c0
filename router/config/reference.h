// SPDX-License-Identifier: Apache-2.0
// docs/configuration.md, generated: the schema's own comments and rules, the
// policies' own tables. What is written by hand elsewhere goes stale.
#ifndef BANDIT_ROUTER_CONFIG_REFERENCE_H_
#define BANDIT_ROUTER_CONFIG_REFERENCE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bandit::config {

// The page, in Markdown. `descriptors`: a serialized FileDescriptorSet of
// config.proto with its imports and source info, for the comments. `example`:
// the YAML at the top of the page.
// Fails with InvalidArgument if `descriptors` is not of the schema that this
// program was built with, or a field has no comment.
absl::StatusOr<std::string> GenerateReference(std::string_view descriptors,
                                              std::string_view example);

}  // namespace bandit::config

#endif  // BANDIT_ROUTER_CONFIG_REFERENCE_H_
