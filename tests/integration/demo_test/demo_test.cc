// SPDX-License-Identifier: Apache-2.0
// The demo as people run it, and against routers that do one thing wrong: it
// must say so, and leave nothing running.
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "examples/demo/child_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace bandit::demo {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The processes whose parent is `parent`.
std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream status(entry.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line == "PPid:\t" + std::to_string(parent)) {
        children.push_back(std::stoi(name));
      }
    }
  }
  return children;
}

// Gone, or a zombie that nobody has reaped.
bool Dead(pid_t pid) {
  const std::string status =
      ReadAll("/proc/" + std::to_string(pid) + "/status");
  return status.empty() || status.find("\nState:\tZ") != std::string::npos;
}

class DemoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // Its temporary files go where the test can see that they are removed.
    directory_ = ::testing::TempDir() + "/demo-" + std::to_string(getpid()) +
                 "-" + Name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_ + "/tmp");
    setenv("TMPDIR", (directory_ + "/tmp").c_str(), 1);
  }
  void TearDown() override {
    unsetenv("FAKE_ROUTER");
    unsetenv("TMPDIR");
    std::filesystem::remove_all(directory_);
  }

  static std::string Name() {
    return ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  void Start(std::vector<std::string> flags) {
    flags.insert(flags.begin(), DEMO);
    auto demo = ChildProcess::Start(flags, log());
    ASSERT_TRUE(demo.ok()) << demo.status();
    demo_ = *std::move(demo);
  }
  void StartWithFault(const std::string& fault,
                      std::vector<std::string> flags) {
    setenv("FAKE_ROUTER", fault.c_str(), 1);
    flags.insert(flags.end(), {"--router", FAKE_ROUTER});
    Start(std::move(flags));
  }

  // How it ended; waits as long as ctest lets it.
  std::string End() {
    while (!demo_->Ended().has_value()) absl::SleepFor(absl::Milliseconds(5));
    return *demo_->Ended();
  }
  void WaitFor(const std::string& line) {
    std::atomic<bool> never{false};
    const auto found = demo_->WaitForLine(line, absl::Minutes(1), never);
    ASSERT_TRUE(found.ok()) << found.status();
  }

  std::string log() const { return directory_ + "/log"; }
  std::string Output() const { return ReadAll(log()); }
  // The JSON that ends the output.
  nlohmann::json Json() const {
    const std::string output = Output();
    return nlohmann::json::parse(output.substr(output.find("\n{\n")), nullptr,
                                 /*allow_exceptions=*/false);
  }
  void ExpectNothingLeft(const std::vector<pid_t>& children) const {
    for (const pid_t child : children) EXPECT_TRUE(Dead(child)) << child;
    EXPECT_THAT(
        std::vector<std::filesystem::path>(
            std::filesystem::directory_iterator(directory_ + "/tmp"), {}),
        IsEmpty());
  }

  std::string directory_;
  std::unique_ptr<ChildProcess> demo_;
};

// What every reward of a working loop must have come to.
void ExpectLoopWorked(const nlohmann::json& json) {
  EXPECT_EQ(json["ok"], true) << json["problems"];
  EXPECT_GT(json["requests"], 300);
  EXPECT_EQ(json["failed"], 0);
  EXPECT_EQ(json["outcomes"]["accepted"], json["requests"]);
}

// The real router, real models, real rewards. Eight seconds are about 1,200
// rewards; thompson gives the best arm 0.325 of the last two seconds (the
// verdict's bound, 0.25 being even) unless its estimate is off by several
// standard errors.
TEST_F(DemoTest, ThompsonLearnsWhichVariantIsBest) {
  const std::string config = directory_ + "/kept.yaml";
  Start({"--policy", "thompson", "--seconds", "8", "--rate", "150",
         "--reward-delay", "0.3", "--json", "--keep-config", config});
  EXPECT_EQ(End(), "exit code 0") << Output();
  const nlohmann::json json = Json();
  ExpectLoopWorked(json);
  EXPECT_GT(json["obtained"], json["even_split"]["mean"]);
  EXPECT_THAT(ReadAll(config), HasSubstr("policy: {name: thompson"));
  ExpectNothingLeft({});
}

// Only the policy that sees the device can send each picture to the variant
// that is made for it, and so beat every single variant.
TEST_F(DemoTest, LinUcbBeatsTheBestSingleVariant) {
  Start({"--policy", "linucb", "--seconds", "8", "--rate", "150",
         "--reward-delay", "0.3", "--json"});
  EXPECT_EQ(End(), "exit code 0") << Output();
  const nlohmann::json json = Json();
  ExpectLoopWorked(json);
  EXPECT_GT(json["obtained"],
            json["best_fixed"]["mean"].get<double>() +
                3 * json["best_fixed"]["standard_error"].get<double>());
  EXPECT_EQ(json["device_growth"]["camera"]["best"],
            nlohmann::json::array({"camera"}));
  ExpectNothingLeft({});
}

// An arm turns slow half-way; the story is on standard error, beside the JSON.
TEST_F(DemoTest, AnArmThatTurnsSlowIsEjected) {
  Start({"--scenario", "regression", "--seconds", "10", "--rate", "100",
         "--reward-delay", "0.3", "--json"});
  EXPECT_EQ(End(), "exit code 0") << Output();
  ExpectLoopWorked(Json());
  EXPECT_THAT(Output(), HasSubstr(" turns slow\n"));
  EXPECT_THAT(Output(), HasSubstr(" is ejected: latency_ms p95 below 150: "));
  EXPECT_THAT(Output(), HasSubstr("until the guardrail ejected it"));
  ExpectNothingLeft({});
}

// Nothing is learned, and nobody claims so.
TEST_F(DemoTest, AFixedSplitStaysEven) {
  Start({"--policy", "fixed_split", "--seconds", "3", "--rate", "200",
         "--reward-delay", "0.3", "--json"});
  EXPECT_EQ(End(), "exit code 0") << Output();
  const nlohmann::json json = Json();
  ExpectLoopWorked(json);
  for (const auto& arm : json["arms"]) {
    // Five standard errors of a share of 0.25 over 600 requests of sticky
    // users: 0.09, and half as much again for the users' repetition.
    EXPECT_NEAR(arm["requests"].get<double>() / json["requests"].get<double>(),
                0.25, 0.14);
  }
}

TEST_F(DemoTest, NoticesWhatIsWrongWithARouter) {
  struct Case {
    std::string fault;
    std::string message;
  };
  const Case cases[] = {
      {"fail", "requests failed; the first: no backend for you (status 14)"},
      {"tokenless", "no x-bandit-decision in the response's metadata"},
      {"liar", "x-bandit-arm is 'centroid', but 'coarse' answered"},
      {"reject", "rewards were answered REJECTED, expected ACCEPTED"},
      {"forget", "the router counts 0 rewards for coarse"},
      {"crash", "demo_fake_router ended with signal 6"},
      {"config", "router.yaml:1: listen: no such key"},
  };
  for (const Case& c : cases) {
    StartWithFault(c.fault, {"--policy", "fixed_split", "--seconds", "1",
                             "--reward-delay", "0.1"});
    EXPECT_EQ(End(), "exit code 1") << c.fault;
    EXPECT_THAT(Output(), HasSubstr(c.message)) << c.fault;
    ExpectNothingLeft({});
  }
}

// The fake router takes turns whatever the policy.
TEST_F(DemoTest, NoticesThatAPolicyDoesNotLearn) {
  StartWithFault("",
                 {"--policy", "thompson", "--seconds", "3", "--rate", "400"});
  EXPECT_EQ(End(), "exit code 1");
  EXPECT_THAT(Output(), HasSubstr("thompson did not move traffic"));
}

TEST_F(DemoTest, SendsRewardsAgainWhenTheRouterIsBusy) {
  StartWithFault("busy", {"--policy", "fixed_split", "--seconds", "1",
                          "--reward-delay", "0.1", "--json"});
  EXPECT_EQ(End(), "exit code 0") << Output();
  const nlohmann::json json = Json();
  EXPECT_GT(json["rewards_retried"], 0);
  EXPECT_EQ(json["outcomes"]["accepted"], json["requests"]);
  EXPECT_EQ(json["outcomes"]["duplicate"], 0);
}

TEST_F(DemoTest, SaysThatTheRouterIsNotThere) {
  Start({"--router", "/nonexistent/bandit-router"});
  EXPECT_EQ(End(), "exit code 1");
  EXPECT_THAT(Output(), HasSubstr("cannot run /nonexistent/bandit-router"));
  ExpectNothingLeft({});
}

TEST_F(DemoTest, RefusesBadFlags) {
  Start({"--policy", "oracle"});
  EXPECT_EQ(End(), "exit code 2");
  EXPECT_THAT(Output(), HasSubstr("oracle"));
}

TEST_F(DemoTest, AnInterruptEndsItWithASummary) {
  StartWithFault("", {"--policy", "fixed_split", "--seconds", "600"});
  WaitFor("fixed_split ");  // The first table: traffic flows.
  const std::vector<pid_t> children = ChildrenOf(demo_->pid());
  EXPECT_THAT(children, SizeIs(5));
  kill(demo_->pid(), SIGINT);
  EXPECT_EQ(End(), "exit code 130");
  EXPECT_THAT(Output(), HasSubstr("Interrupted."));
  EXPECT_THAT(Output(), HasSubstr("no failure until then"));
  ExpectNothingLeft(children);
}

// Even then: the kernel kills the children of a parent that died.
TEST_F(DemoTest, LeavesNoProcessBehindWhenItIsKilled) {
  StartWithFault("", {"--policy", "fixed_split", "--seconds", "600"});
  WaitFor("  neighbours");  // All are started.
  const std::vector<pid_t> children = ChildrenOf(demo_->pid());
  EXPECT_THAT(children, SizeIs(5));
  kill(demo_->pid(), SIGKILL);
  EXPECT_EQ(End(), "signal 9");
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  for (const pid_t child : children) {
    while (!Dead(child) && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(5));
    }
    EXPECT_TRUE(Dead(child)) << child;
  }
}

}  // namespace
}  // namespace bandit::demo
