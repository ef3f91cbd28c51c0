// SPDX-License-Identifier: Apache-2.0
#include "router/cpu_count.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <thread>

namespace bandit {
namespace {

std::optional<double> Quota(const std::string& root) {
  double quota = 0;
  double period = 0;
  // "max 100000" (no quota) does not read as a number.
  if (std::ifstream v2(root + "/cpu.max"); v2 >> quota >> period) {
    return quota / period;
  }
  std::ifstream v1_quota(root + "/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period(root + "/cpu/cpu.cfs_period_us");
  if (v1_quota >> quota && v1_period >> period && quota > 0) {
    return quota / period;
  }
  return std::nullopt;
}

}  // namespace

int AllowedCpus(const std::string& cgroup_root) {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cpus = sched_getaffinity(0, sizeof(set), &set) == 0
                 ? CPU_COUNT(&set)
                 : static_cast<int>(std::thread::hardware_concurrency());
  if (const auto quota = Quota(cgroup_root)) {
    cpus = std::min(cpus, static_cast<int>(std::ceil(*quota)));
  }
  return std::max(cpus, 1);
}

}  // namespace bandit
