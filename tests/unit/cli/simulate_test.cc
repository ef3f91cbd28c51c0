// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_split.h"
#include "clients/cli/progress.h"
#include "google/protobuf/util/json_util.h"

namespace bandit::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Written(const std::string& name, const std::string& text) {
  std::string path = ::testing::TempDir() + "/simulate_test_" + name;
  std::ofstream(path) << text;
  return path;
}

SimulateOptions Options() {
  SimulateOptions options;
  options.config = Written(
      "config.yaml",
      "backends: {b: {address: \"127.0.0.1:1\"}}\n"
      "experiments:\n"
      "  - name: ranker\n"
      "    match: {service: a.B}\n"
      "    arms: [{name: old, backend: b}, {name: \"new\", backend: b}]\n"
      "    policy: {name: thompson}\n"
      "    metrics: [{name: click, kind: binary}]\n");
  options.world = Written("world.yaml",
                          "arms:\n"
                          "  - {name: old, reward: {mean: 0.3}}\n"
                          "  - {name: new, reward: {mean: 0.4}}\n");
  options.rounds = 1000;
  options.runs = 3;
  return options;
}

Result Ran(const SimulateOptions& options, bool json = false) {
  return Simulate(options, json, [](std::string_view, double) {});
}

TEST(SimulateCommandTest, TellsRegretAndSharesOfEachPolicy) {
  const Result result = Ran(Options());
  EXPECT_EQ(result.code, ExitCode::kOk) << result.error;
  EXPECT_THAT(result.out,
              StartsWith("ranker: 2 arms on click, 1000 decisions at 100/s "
                         "(10s), 3 runs, seed 1\n\n"
                         "  policy             regret at 1s  at 2.5s  at 5s  "
                         "at 10s"));
  for (const char* policy : {"\n  thompson (config)  ", "\n  ucb1 ",
                             "\n  epsilon_greedy ", "\n  fixed_split "}) {
    EXPECT_THAT(result.out, HasSubstr(policy));
  }
  EXPECT_THAT(result.out, HasSubstr("left out linucb: needs `context`"));
  EXPECT_THAT(result.error, StartsWith("1.2e+04 decisions in "));
}

TEST(SimulateCommandTest, TheOutputIsFixedByTheArguments) {
  SimulateOptions options = Options();
  for (const bool json : {false, true}) {
    EXPECT_TRUE(Ran(options, json).out == Ran(options, json).out);
  }
  const std::string first = Ran(options).out;
  options.seed = 2;
  EXPECT_FALSE(first == Ran(options).out);
}

TEST(SimulateCommandTest, JsonIsTheMessage) {
  SimulateOptions options = Options();
  options.policies = {"ucb1"};
  const Result result = Ran(options, /*json=*/true);
  v1::Simulation simulation;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(result.out, &simulation)
          .ok());
  ASSERT_EQ(simulation.policies_size(), 3);
  EXPECT_EQ(simulation.policies(0).label(), "thompson");
  EXPECT_TRUE(simulation.policies(0).configured());
  EXPECT_EQ(simulation.policies(2).policy(), "fixed_split");
  EXPECT_EQ(simulation.policies(2).moments(99).decisions(), 1000u);
}

TEST(SimulateCommandTest, CsvHasALineAPolicyAndMoment) {
  SimulateOptions options = Options();
  options.policies = {"epsilon_greedy:epsilon=0.2"};
  options.csv = true;
  const std::vector<std::string> lines =
      absl::StrSplit(Ran(options).out, "\r\n");
  ASSERT_EQ(lines.size(), 1 + 3 * 100 + 1u);
  EXPECT_EQ(lines[0],
            "policy,configured,time_seconds,decisions,regret,"
            "regret_standard_error,best_share,share_old,share_new");
  EXPECT_THAT(lines[3], StartsWith("thompson,1,0.3,30,"));
  EXPECT_THAT(lines[101], StartsWith("epsilon_greedy:epsilon=0.2,0,0.1,10,"));
  EXPECT_THAT(lines[300], StartsWith("fixed_split,0,10,1000,"));
}

TEST(SimulateCommandTest, ThePageHasPlotsAndEscapesNames) {
  SimulateOptions options = Options();
  options.html = "-";
  const std::string page = Ran(options).out;
  EXPECT_THAT(page, StartsWith("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("<polyline class=\"line s0\""));
  EXPECT_THAT(page, HasSubstr("<polygon class=\"band s1\""));
  EXPECT_THAT(page, HasSubstr("Left out linucb: needs"));

  v1::Simulation simulation;
  simulation.add_arms("<b>");
  simulation.add_true_means(1);
  v1::SimulatedPolicy& policy = *simulation.add_policies();
  policy.set_label("a&b");
  policy.add_estimates(1);
  policy.add_found(1);
  policy.add_moments()->add_shares(1);
  const std::string escaped = RenderSimulationHtml(simulation);
  EXPECT_THAT(escaped, HasSubstr("a&amp;b"));
  EXPECT_THAT(escaped, HasSubstr("&lt;b&gt;"));
}

TEST(SimulateCommandTest, TheExampleIsAWorldForItsConfig) {
  SimulateOptions options = Options();
  options.world.clear();
  options.example = true;
  const Result example = Ran(options);
  EXPECT_EQ(example.code, ExitCode::kOk);
  options.example = false;
  options.world = Written("example.yaml", example.out);
  EXPECT_EQ(Ran(options).code, ExitCode::kOk);
}

TEST(SimulateCommandTest, FlagsGoBeforeTheWorld) {
  SimulateOptions options = Options();
  options.world = Written("slow.yaml",
                          "arms:\n"
                          "  - {name: old, reward: {mean: 0.3}}\n"
                          "  - {name: new, reward: {mean: 0.4}}\n"
                          "rate: 5\ndelay: {median: 1h}\n");
  EXPECT_THAT(Ran(options).out, HasSubstr("at 5/s (3m20s)"));
  options.rate = "50/s";
  EXPECT_THAT(Ran(options).out, HasSubstr("at 50/s (20s)"));
  // With a delay of an hour nothing is learned.
  EXPECT_THAT(Ran(options).out,
              HasSubstr("\n  old        0.3                  -"));
  options.delay = "1s";
  EXPECT_THAT(
      Ran(options).out,
      ::testing::Not(HasSubstr("\n  old        0.3                  -")));
  options.replicas = 2;
  EXPECT_THAT(Ran(options).out, HasSubstr("2 replicas that exchange every 1s"));
  options.sync = "0s";
  EXPECT_THAT(Ran(options).out, HasSubstr("2 replicas, each by itself"));
}

TEST(SimulateCommandTest, SaysWhatIsWrong) {
  const auto said = [](auto change) {
    SimulateOptions options = Options();
    change(&options);
    const Result result = Ran(options);
    EXPECT_EQ(result.code, ExitCode::kInvalid);
    EXPECT_EQ(result.out, "");
    return result.error;
  };
  EXPECT_THAT(said([](auto* o) { o->world.clear(); }),
              StartsWith("--world is missing"));
  EXPECT_THAT(said([](auto* o) { o->world = "/nowhere.yaml"; }),
              HasSubstr("expected a world file that can be read"));
  EXPECT_THAT(said([](auto* o) { o->config = "/nowhere.yaml"; }),
              HasSubstr("expected a config file that can be read"));
  EXPECT_THAT(said([](auto* o) { o->experiment = "rankr"; }),
              HasSubstr("did you mean \"ranker\"?"));
  EXPECT_THAT(said([](auto* o) { o->policies = {"ucb"}; }),
              HasSubstr("--policies: \"ucb\" is no policy"));
  EXPECT_THAT(said([](auto* o) { o->policies = {"ucb1:x=1"}; }),
              HasSubstr("--policies ucb1:x=1: "));
  EXPECT_THAT(said([](auto* o) { o->rate = "0"; }),
              StartsWith("--rate \"0\" is not a number"));
  EXPECT_THAT(said([](auto* o) { o->sync = "5"; }),
              StartsWith("--sync \"5\" is not a duration"));
  EXPECT_THAT(said([](auto* o) { o->delay = "soon"; }),
              StartsWith("--delay \"soon\" is not a duration"));
  EXPECT_THAT(said([](auto* o) {
                o->rate = "1e-6";
                o->rounds = 1'000'000'000;
              }),
              HasSubstr("more than 95 years"));
  EXPECT_THAT(said([](auto* o) { o->html = "/nowhere/page.html"; }),
              HasSubstr("/nowhere/page.html cannot be written"));
  EXPECT_THAT(said([](auto* o) {
                o->world = Written("bad.yaml",
                                   "arms:\n"
                                   "  - {name: old, reward: {mean: 0.3}}\n"
                                   "  - {name: odl, reward: {mean: 0.3}}\n");
              }),
              HasSubstr("bad.yaml:3: arms.odl.name"));
}

TEST(LengthWordsTest, AreNoFinerThanTheLengthIsLong) {
  const auto words = [](double seconds) {
    google::protobuf::Duration length;
    length.set_seconds(static_cast<int64_t>(seconds));
    length.set_nanos(static_cast<int32_t>(
        (seconds - static_cast<double>(length.seconds())) * 1e9));
    return LengthWords(length);
  };
  EXPECT_EQ(words(0.25), "250ms");
  EXPECT_EQ(words(9.5), "9.5s");
  EXPECT_EQ(words(99.6), "1m40s");
  EXPECT_EQ(words(36'029), "10h");
  EXPECT_EQ(words(0), "0");
}

TEST(ProgressTest, IsSilentAtFirstThenALineEveryTenSeconds) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  {
    Progress progress(file);
    const absl::Time begin = absl::UnixEpoch();
    progress.Show("a", 0.1, begin);
    progress.Show("a", 0.2, begin + absl::Seconds(9));
    progress.Show("b", 0.25, begin + absl::Seconds(10));
    progress.Show("b", 0.3, begin + absl::Seconds(11));
    progress.Show("c", 0.5, begin + absl::Seconds(20));
  }
  std::rewind(file);
  char text[200];
  const size_t size = std::fread(text, 1, sizeof text, file);
  std::fclose(file);
  EXPECT_EQ(std::string(text, size),
            " 25 %, b, 30s left\n 50 %, c, 20s left\n");
}

}  // namespace
}  // namespace bandit::cli
