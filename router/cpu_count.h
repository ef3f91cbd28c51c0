// SPDX-License-Identifier: Apache-2.0
// How many workers a machine, or a container on it, has room for.
#ifndef BANDIT_ROUTER_CPU_COUNT_H_
#define BANDIT_ROUTER_CPU_COUNT_H_

#include <string>

namespace bandit {

// The CPUs that this process may use: its affinity mask, cut down to the
// cgroup's quota (cgroup v2 `cpu.max`, else v1 `cpu.cfs_quota_us`), rounded up;
// at least 1. `cgroup_root` is /sys/fs/cgroup but for tests.
int AllowedCpus(const std::string& cgroup_root = "/sys/fs/cgroup");

}  // namespace bandit

#endif  // BANDIT_ROUTER_CPU_COUNT_H_
