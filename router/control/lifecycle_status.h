// SPDX-License-Identifier: Apache-2.0
// Where an experiment stands, as the admin service tells it.
#ifndef BANDIT_ROUTER_CONTROL_LIFECYCLE_STATUS_H_
#define BANDIT_ROUTER_CONTROL_LIFECYCLE_STATUS_H_

#include "bandit/v1/admin.pb.h"
#include "router/learning/steward.h"

namespace bandit::control {

void DescribeLife(const learning::LifeView& view, v1::LifecycleStatus* status);

}  // namespace bandit::control

#endif  // BANDIT_ROUTER_CONTROL_LIFECYCLE_STATUS_H_
