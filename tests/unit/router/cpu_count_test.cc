// SPDX-License-Identifier: Apache-2.0
#include "router/cpu_count.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace bandit {
namespace {

class CpuCountTest : public ::testing::Test {
 protected:
  CpuCountTest() {
    std::string pattern = ::testing::TempDir() + "cgroupXXXXXX";
    root = mkdtemp(pattern.data());
  }
  ~CpuCountTest() override { std::filesystem::remove_all(root); }

  void Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(
        std::filesystem::path(root + "/" + name).parent_path());
    std::ofstream(root + "/" + name) << text;
  }

  std::string root;
};

TEST_F(CpuCountTest, HalfACpuIsOneWorker) {
  Write("cpu.max", "50000 100000\n");
  EXPECT_EQ(AllowedCpus(root), 1);
}

TEST_F(CpuCountTest, WithoutAQuotaTheAffinityCounts) {
  const int all = AllowedCpus(root);
  EXPECT_GE(all, 1);
  Write("cpu.max", "max 100000\n");
  EXPECT_EQ(AllowedCpus(root), all);
}

TEST_F(CpuCountTest, AQuotaAboveTheAffinityAddsNothing) {
  const int all = AllowedCpus(root);
  Write("cpu.max", "100000000 100000\n");
  EXPECT_EQ(AllowedCpus(root), all);
}

TEST_F(CpuCountTest, ReadsTheFirstVersionsFilesToo) {
  Write("cpu/cpu.cfs_quota_us", "20000\n");
  Write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(AllowedCpus(root), 1);
  Write("cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_GE(AllowedCpus(root), 1);
}

}  // namespace
}  // namespace bandit
