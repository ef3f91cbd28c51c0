// SPDX-License-Identifier: Apache-2.0
// Which epoch each experiment of a config is in.
//
// Statistics are pooled within an epoch only. An edit that would bias them
// starts a new one (experiment::EpochChanges); a change of policy does not.
#ifndef BANDIT_ROUTER_LEARNING_EPOCHS_H_
#define BANDIT_ROUTER_LEARNING_EPOCHS_H_

#include <cstdint>
#include <map>
#include <string>

#include "bandit/v1/config.pb.h"
#include "router/store/state_store.h"

namespace bandit::learning {

// By experiment name.
using ExperimentRecords = std::map<std::string, store::ExperimentRecord>;

// The records that `config`'s experiments should have, given those that are
// `known`: an experiment without such an edit keeps its epoch, one with it
// takes the next, an unknown one starts at 1.
ExperimentRecords DecideEpochs(const v1::RouterConfig& config,
                               const ExperimentRecords& known);

// As CompilePlan takes them.
std::map<std::string, uint32_t> EpochNumbers(const ExperimentRecords& records);

}  // namespace bandit::learning

#endif  // BANDIT_ROUTER_LEARNING_EPOCHS_H_
