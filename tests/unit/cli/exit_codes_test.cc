// SPDX-License-Identifier: Apache-2.0
// One table of exit codes: --help prints it, docs/banditctl.md repeats it.
#include "clients/cli/exit_codes.h"

#include <fstream>
#include <sstream>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

TEST(ExitCodesTest, EachCodeOnceAscending) {
  int next = 0;
  for (const ExitMeaning& row : ExitMeanings()) {
    EXPECT_EQ(static_cast<int>(row.code), next++);
    EXPECT_FALSE(row.meaning.empty());
  }
}

TEST(ExitCodesTest, TheDocumentHasTheSameTable) {
  std::ifstream file(BANDIT_DOCS "/banditctl.md");
  ASSERT_TRUE(file.is_open());
  std::vector<std::string> rows, wanted;
  std::string line;
  bool within = false;
  while (std::getline(file, line)) {
    if (line.starts_with("## ")) within = line == "## Exit codes";
    if (within && line.starts_with("| ") && line[2] >= '0' && line[2] <= '9') {
      rows.push_back(line);
    }
  }
  for (const ExitMeaning& row : ExitMeanings()) {
    wanted.push_back(
        fmt::format("| {} | {} |", static_cast<int>(row.code), row.meaning));
  }
  EXPECT_THAT(rows, ::testing::ElementsAreArray(wanted));
}

TEST(ExitCodesTest, HelpHasEachOnALine) {
  std::istringstream text(RenderExitCodes());
  std::string line;
  std::getline(text, line);
  EXPECT_EQ(line, "Exit codes:");
  for (const ExitMeaning& row : ExitMeanings()) {
    ASSERT_TRUE(std::getline(text, line));
    EXPECT_EQ(line,
              fmt::format("  {}  {}", static_cast<int>(row.code), row.meaning));
  }
}

}  // namespace
}  // namespace bandit::cli
