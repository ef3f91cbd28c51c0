// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/force.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

Experiment Ranker() {
  Experiment e;
  e.name = "ranker";
  e.force_key = "x-force";
  e.arms = {{.name = "control"}, {.name = "candidate"}};
  return e;
}

// "arm" for one that it has, "arm?" for one that it has not, "" for none.
std::string Found(const Experiment& e, const std::string& value) {
  const std::vector<http2::Header> headers = {{":path", "/s/m"},
                                              {"x-force", value}};
  const auto forced = FindForced(e, headers);
  if (!forced.has_value()) return "";
  if (!forced->arm.has_value()) return std::string(forced->name) + "?";
  EXPECT_EQ(e.arms[*forced->arm].name, forced->name);
  return std::string(forced->name);
}

TEST(FindForcedTest, TakesAnArmAloneOrWithItsExperiment) {
  EXPECT_EQ(Found(Ranker(), "candidate"), "candidate");
  EXPECT_EQ(Found(Ranker(), "ranker/candidate"), "candidate");
  EXPECT_EQ(Found(Ranker(), "other/long, ranker/control"), "control");
  EXPECT_EQ(Found(Ranker(), "other/candidate"), "");
  EXPECT_EQ(Found(Ranker(), ""), "");
  EXPECT_EQ(Found(Ranker(), ","), "");
  EXPECT_EQ(Found(Ranker(), "ranker/"), "");
}

TEST(FindForcedTest, AnArmThatIsNotThereIsNamed) {
  EXPECT_EQ(Found(Ranker(), "candidat"), "candidat?");
  EXPECT_EQ(Found(Ranker(), "ranker/x"), "x?");
}

// A bare name is for the experiment that chooses the backend.
TEST(FindForcedTest, AnOverlayWantsItsName) {
  Experiment overlay = Ranker();
  overlay.overlay = true;
  EXPECT_EQ(Found(overlay, "candidate"), "");
  EXPECT_EQ(Found(overlay, "candidate,ranker/control"), "control");
}

TEST(FindForcedTest, NothingIsForcedWhereItMayNotBe) {
  Experiment closed = Ranker();
  closed.force_key.clear();
  EXPECT_EQ(Found(closed, "candidate"), "");
}

}  // namespace
}  // namespace bandit::experiment
