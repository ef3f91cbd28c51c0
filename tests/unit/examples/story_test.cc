// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/story.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::demo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

v1::ExperimentStatus StatusWith(const std::string& state) {
  v1::ExperimentStatus status;
  v1::ArmStatus* control = status.add_arms();
  control->set_name("coarse");
  control->set_state("active");
  v1::ArmStatus* arm = status.add_arms();
  arm->set_name("camera");
  arm->set_state(state);
  if (state != "active") arm->set_state_reason("the rule: the figures");
  return status;
}

// Ten requests a second, so many of them slow.
void Serve(Story* story, int from, int to, int slow_of_ten) {
  for (int second = from; second < to; ++second) {
    for (int i = 0; i < 10; ++i) {
      story->Served(absl::Seconds(second) + absl::Milliseconds(100 * i),
                    absl::Milliseconds(i < slow_of_ten ? 300 : 5));
    }
  }
}

TEST(StoryTest, TellsWhatHappenedAndThatTrafficRecovered) {
  Story story;
  story.Observe(StatusWith("active"), absl::Seconds(1));
  Serve(&story, 0, 30, 0);
  story.Degraded("camera", absl::Seconds(30));
  Serve(&story, 30, 32, 6);
  story.Observe(StatusWith("ejected"), absl::Seconds(32));
  story.Observe(StatusWith("ejected"), absl::Seconds(33));
  Serve(&story, 32, 60, 0);
  story.Observe(StatusWith("probation"), absl::Seconds(42));
  const std::string text = story.Text();
  EXPECT_THAT(text, HasSubstr("    30.0 s  camera turns slow\n"
                              "    32.0 s  camera is ejected: the rule: the "
                              "figures\n"
                              "    42.0 s  camera is on probation: a few "
                              "requests\n"));
  EXPECT_THAT(text, HasSubstr("before it turned slow              0.0 % of "
                              "300\n"));
  EXPECT_THAT(text, HasSubstr("until the guardrail ejected it    60.0 % of "
                              "20\n"));
  EXPECT_THAT(text, Not(HasSubstr("coarse")));
  EXPECT_THAT(story.Problems(), IsEmpty());
}

TEST(StoryTest, SaysWhatIsMissing) {
  Story story;
  Serve(&story, 0, 30, 0);
  EXPECT_THAT(story.Problems(), ElementsAre("no arm turned slow"));
  story.Degraded("camera", absl::Seconds(30));
  Serve(&story, 30, 60, 6);
  EXPECT_THAT(story.Problems(),
              ElementsAre("camera turned slow and was not ejected"));
  story.Observe(StatusWith("ejected"), absl::Seconds(60));
  Serve(&story, 60, 90, 5);
  EXPECT_THAT(story.Problems(),
              ElementsAre(HasSubstr("traffic did not recover: 60.0 % of")));
}

}  // namespace
}  // namespace bandit::demo
