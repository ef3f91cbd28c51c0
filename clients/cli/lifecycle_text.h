// SPDX-License-Identifier: Apache-2.0
// Where an experiment stands, for people to read.
#ifndef BANDIT_CLIENTS_CLI_LIFECYCLE_TEXT_H_
#define BANDIT_CLIENTS_CLI_LIFECYCLE_TEXT_H_

#include <string>

#include "bandit/v1/admin.pb.h"

namespace bandit::cli {

// Indented lines; none for an experiment that simply runs.
std::string RenderLifecycle(const v1::LifecycleStatus& status);

}  // namespace bandit::cli

#endif  // BANDIT_CLIENTS_CLI_LIFECYCLE_TEXT_H_
