// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/screen.h"

#include <cstdio>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::demo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RunFacts TwoArms() {
  RunFacts run;
  run.policy = "linucb";
  run.contextual = true;
  run.arms = {{"weak", 1}, {"strong", 3}};
  return run;
}

std::string Drawn(bool terminal, std::initializer_list<const char*> frames) {
  std::FILE* const file = std::tmpfile();
  Screen screen(file, terminal);
  for (const char* frame : frames) screen.Draw(frame);
  std::string text(static_cast<size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), file), text.size());
  std::fclose(file);
  return text;
}

TEST(ScreenTest, ShowsSharesProbabilitiesAndRewards) {
  Tally tally(2);
  for (int i = 0; i < 4; ++i) {
    tally.Served(i == 0 ? 0 : 1, Device::kScanner, absl::Seconds(9),
                 absl::Milliseconds(8));
  }
  tally.Rewarded(1, Device::kScanner, 1, v1::ACCEPTED);
  RunFacts run = TwoArms();
  run.router.emplace();
  run.router->add_arms()->set_probability(0.125);
  run.router->add_arms()->set_probability(0.875);
  const std::string text = RenderTable({.elapsed = absl::Seconds(10),
                                        .total = absl::Seconds(20),
                                        .in_flight = 2,
                                        .rewards_open = 3},
                                       run, tally);
  EXPECT_THAT(text, HasSubstr("[####################....................]"));
  EXPECT_THAT(text, HasSubstr("10 of 20 s"));
  EXPECT_THAT(text, HasSubstr("weak            25 %        0.125"));
  EXPECT_THAT(text, HasSubstr("strong          75 %        0.875       100.0  "
                              "       1"));
  EXPECT_THAT(text, HasSubstr("4 requests (0 failed, 2 in flight), 1 rewards "
                              "accepted, 3 to come"));
  EXPECT_THAT(text, HasSubstr("on scanner    weak 25 %  strong 75 %"));
}

// Before the first status and the first request.
TEST(ScreenTest, AnEmptyTableHasNoNumbersToShow) {
  const std::string text =
      RenderTable({.elapsed = absl::ZeroDuration(), .total = absl::Seconds(20)},
                  TwoArms(), Tally(2));
  EXPECT_THAT(text, HasSubstr("weak             0 %            -"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

// The second frame goes back over the two lines of the first.
TEST(ScreenTest, ATerminalIsDrawnInPlace) {
  EXPECT_EQ(Drawn(true, {"a\nb\n", "c\n"}),
            "\ra\x1b[K\n\rb\x1b[K\n\x1b[2A\rc\x1b[K\n");
}

TEST(ScreenTest, ALogIsPlain) {
  EXPECT_EQ(Drawn(false, {"a\n", "b\n"}), "a\n\nb\n\n");
}

}  // namespace
}  // namespace bandit::demo
