// SPDX-License-Identifier: Apache-2.0
// Good configs, the defaults that they get, and what cannot be read at all.
#include "router/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "policies/policy.h"

namespace bandit::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::optional<std::string> NoVariables(std::string_view) {
  return std::nullopt;
}

std::string TestFile(std::string_view name) {
  return fmt::format("{}/{}", BANDIT_CONFIG_TESTDATA, name);
}

std::string Message(std::string_view text) {
  return std::string(LoadText(text, "f", NoVariables).status().message());
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = testing::TempDir() + "/bandit_config_XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  std::string file(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

TEST(LoadTest, LoadsTheExampleOfTheDesign) {
  const auto loaded = Load(TestFile("design.yaml"), NoVariables);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const v1::RouterConfig& config = loaded->proto;
  EXPECT_EQ(config.token_key(), "");
  EXPECT_THAT(config.backends().at("ranker-b").address(),
              ElementsAre("10.0.0.7:8001"));
  ASSERT_EQ(config.experiments_size(), 1);
  const v1::ExperimentConfig& experiment = config.experiments(0);
  EXPECT_EQ(experiment.match(0).model(), "ranker");
  EXPECT_EQ(experiment.arms(0).weight(), 90);
  EXPECT_EQ(experiment.arms(1).model().version(), "2");
  EXPECT_FALSE(experiment.arms(0).has_model());
  EXPECT_EQ(experiment.policy().floor(), 0.02);
  EXPECT_EQ(experiment.metrics(0).kind(), v1::METRIC_KIND_BINARY);
  EXPECT_EQ(experiment.metrics(0).window().seconds(), 1800);
  EXPECT_TRUE(experiment.metrics(0).has_default_());
  EXPECT_FALSE(experiment.metrics(0).has_min());
  EXPECT_THAT(experiment.context().features(0).categories(),
              ElementsAre("ios", "android", "web"));
  EXPECT_EQ(experiment.context().features(1).transform(), v1::TRANSFORM_LOG1P);
  EXPECT_EQ(experiment.context().features(1).scale(), 1);
}

// Its presence turns it on, so that it is not made of its defaults.
TEST(LoadTest, AJoinIsThereIfItIsGivenOnly) {
  const std::string rest = "backends: {a: {address: 'h:1'}}\n";
  const auto without = LoadText(rest, "f.yaml", NoVariables);
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_FALSE(without->proto.has_join());
  const auto with = LoadText("join: {}\n" + rest, "f.yaml", NoVariables);
  ASSERT_TRUE(with.ok()) << with.status();
  ASSERT_TRUE(with->proto.has_join());
  EXPECT_EQ(with->proto.join().metadata(), "x-request-id");
  EXPECT_EQ(with->proto.join().window().seconds(), 1800);
  EXPECT_EQ(with->proto.join().memory(), 64u << 20);
}

// What learns must go on trying; what is told its shares keeps to them.
TEST(LoadTest, ThePolicyDecidesWhichFloorIsTheDefault) {
  const auto floor = [](std::string_view policy) {
    const std::string text = fmt::format(
        R"(backends: {{a: {{address: "a:1"}}}}
experiments:
  - name: e
    match: {{service: s}}
    arms: [{{name: x, backend: a}}]
    policy: {}
    metrics: [{{name: click, kind: binary}}]
)",
        policy);
    const auto loaded = LoadText(text, "f.yaml", NoVariables);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return loaded->proto.experiments(0).policy().floor();
  };
  EXPECT_EQ(floor("{name: fixed_split}"), 0);
  EXPECT_EQ(floor("{name: fixed_split, floor: 0.05}"), 0.05);
  EXPECT_EQ(floor("{name: thompson}"), 0.01);
  EXPECT_EQ(floor("{name: thompson, floor: 0}"), 0);
}

// Readers of the config need no defaults of their own.
TEST(LoadTest, FillsInEveryDefault) {
  const auto loaded = Load(TestFile("split.yaml"), NoVariables);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const v1::RouterConfig& config = loaded->proto;
  EXPECT_EQ(config.listen(), "0.0.0.0:8080");
  EXPECT_EQ(config.control(), "0.0.0.0:8081");
  EXPECT_EQ(config.admin(), "127.0.0.1:9090");
  EXPECT_EQ(config.state(), "sqlite:///var/lib/bandit-router/state.db");
  EXPECT_EQ(config.backends().at("old").connect_timeout().seconds(), 5);
  EXPECT_EQ(config.limits().stream_window(), 256u << 10);
  EXPECT_EQ(config.limits().max_concurrent_streams(), 1000u);
  EXPECT_EQ(config.limits().max_header_list(), 64u << 10);
  EXPECT_EQ(config.limits().max_held_message(), 64u << 20);
  EXPECT_EQ(config.learner().tick().nanos(), 100'000'000);
  EXPECT_EQ(config.learner().queue(), 100'000u);
  EXPECT_EQ(config.learner().silence_warning().seconds(), 300);
  EXPECT_FALSE(config.has_join());
  const v1::ExperimentConfig& experiment = config.experiments(0);
  EXPECT_EQ(experiment.control(), "old");
  EXPECT_EQ(experiment.salt(), "canary");
  EXPECT_EQ(experiment.policy().floor(), 0);
  EXPECT_FALSE(experiment.has_unit());
  EXPECT_FALSE(experiment.has_context());
  // It learns nothing, but has something to report.
  EXPECT_EQ(experiment.reward().metric(), "error");
}

TEST(LoadTest, FillsInThePolicysParameters) {
  const auto loaded = Load(TestFile("full.yaml"), NoVariables);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const v1::PolicyConfig& policy = loaded->proto.experiments(0).policy();
  const policies::PolicyInfo* info = policies::FindPolicy(policy.name());
  ASSERT_NE(info, nullptr);
  ASSERT_GT(info->parameters.size(), 1u);
  for (const policies::Parameter& parameter : info->parameters) {
    const std::string name(parameter.name);
    ASSERT_TRUE(policy.params().contains(name)) << name;
    EXPECT_EQ(policy.params().at(name),
              name == "alpha" ? 0.5 : parameter.default_value);
  }
}

TEST(LoadTest, TakesTheFirstMetricAsReward) {
  const auto loaded = LoadText(
      "backends: {a: {address: 'h:1'}}\n"
      "experiments:\n"
      "  - name: e\n"
      "    match: {service: s}\n"
      "    arms: [{name: x, backend: a}]\n"
      "    policy: {name: thompson}\n"
      "    metrics: [{name: m, kind: continuous}, {name: n, kind: binary}]\n",
      "f", NoVariables);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->proto.experiments(0).reward().metric(), "m");
}

TEST(LoadTest, ReadsEveryField) {
  const auto loaded = Load(TestFile("full.yaml"), NoVariables);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const v1::RouterConfig& config = loaded->proto;
  EXPECT_EQ(config.token_key(), "not a secret");
  EXPECT_THAT(config.backends().at("a").address(),
              ElementsAre("dns:///a.models.svc:8001", "[::1]:8001"));
  EXPECT_EQ(config.backends().at("a").connect_timeout().nanos(), 250'000'000);
  const v1::ExperimentConfig& experiment = config.experiments(0);
  EXPECT_EQ(experiment.match(0).metadata().at("x-tenant"),
            "blue ${not a variable}");
  EXPECT_EQ(experiment.match(1).service(),
            "tensorflow.serving.PredictionService");
  EXPECT_EQ(experiment.metrics(1).max(), 1000);
  EXPECT_EQ(experiment.metrics(1).window().seconds(), 7 * 24 * 3600);
  EXPECT_EQ(experiment.salt(), "2024 \"spring\"");
  EXPECT_EQ(config.limits().max_held_message(), 3u << 19);
}

TEST(LoadTest, ExpandsAnchors) {
  const auto loaded = Load(TestFile("anchors.yaml"), NoVariables);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const v1::ExperimentConfig& second = loaded->proto.experiments(1);
  EXPECT_EQ(second.arms(1).model().version(), "2");
  EXPECT_EQ(second.policy().name(), "ucb1");
}

TEST(LoadTest, ReadsTheEnvironment) {
  const auto env = [](std::string_view name) -> std::optional<std::string> {
    if (name == "BANDIT_TOKEN_KEY") return "s3cret";
    return std::nullopt;
  };
  const auto loaded = Load(TestFile("example.yaml"), env);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->proto.token_key(), "s3cret");
}

TEST(LoadTest, ReportsEveryErrorInTheOrderOfLines) {
  EXPECT_EQ(
      Message("listen: nowhere\n"
              "backends: {a: {adress: 'h:1'}}\n"
              "default_backend: b\n"
              "workers: -1\n"
              "experiments:\n"
              "  - name: e\n"
              "    match: {method: m}\n"
              "    arms: []\n"
              "    policy: {name: thomson, floor: 2}\n"),
      "f:1: listen = \"nowhere\" has no port, expected host:port or "
      "[IPv6]:port, such as 0.0.0.0:8080\n"
      "f:2: backends.a has no field \"adress\", expected address, "
      "connect_timeout, tls, load_balancing, resolve_every, max_connections, "
      "max_requests, idle_timeout, keepalive, keepalive_timeout, health_check, "
      "outliers or 1 more, did you mean \"address\"?\n"
      "f:3: default_backend = \"b\" is not one of the backends, expected a\n"
      "f:4: workers = -1 is outside [0, 1024]\n"
      "f:6: experiments.e has nothing to learn from, expected metrics, or a "
      "reward that is a built-in metric\n"
      "f:7: experiments.e.match.method = \"m\" is given without its service, "
      "expected `service` too\n"
      "f:8: experiments.e.arms is empty, expected at least one\n"
      "f:9: experiments.e.policy.floor = 2 is outside [0, 1]\n"
      "f:9: experiments.e.policy.name = \"thomson\" is not one of the "
      "policies, expected fixed_split, epsilon_greedy, thompson, ucb1 or "
      "linucb, did you mean \"thompson\"?");
}

TEST(LoadTest, LimitsTheArms) {
  std::string text =
      "backends: {a: {address: 'h:1'}}\n"
      "experiments:\n"
      "  - name: e\n"
      "    match: {service: s}\n"
      "    policy: {name: fixed_split}\n"
      "    arms:\n";
  for (int i = 0; i < 64; ++i) {
    text += fmt::format("    - {{name: a{}, backend: a}}\n", i);
  }
  EXPECT_EQ(Message(text), "");
  text += "    - {name: last, backend: a}\n";
  EXPECT_EQ(Message(text),
            "f:6: experiments.e.arms has 65 arms, expected at most 64");
}

TEST(LoadTest, LimitsTheFeatures) {
  const auto text = [](int features, int categories) {
    std::string out =
        "backends: {a: {address: 'h:1'}}\n"
        "experiments:\n"
        "  - name: e\n"
        "    match: {service: s}\n"
        "    arms: [{name: x, backend: a}]\n"
        "    policy: {name: linucb}\n"
        "    reward: {metric: latency_ms}\n"
        "    context:\n"
        "      features:\n";
    for (int i = 0; i < features; ++i) {
      out += fmt::format("      - {{name: f{0}, metadata: x{0}}}\n", i);
    }
    out += "      - {name: c, metadata: c, categories: [c";
    for (int i = 1; i < categories; ++i) out += fmt::format(", c{}", i);
    return out + "]}\n";
  };
  EXPECT_EQ(Message(text(63, 192)), "");
  EXPECT_EQ(Message(text(64, 1)),
            "f:9: experiments.e.context.features has 65 features, expected at "
            "most 64");
  EXPECT_EQ(Message(text(63, 193)),
            "f:9: experiments.e.context.features makes 257 columns, the "
            "intercept and all categories counted, expected at most 256");
}

TEST(LoadTest, AContextualPolicyNeedsFeatures) {
  EXPECT_EQ(Message("backends: {a: {address: 'h:1'}}\n"
                    "experiments:\n"
                    "  - name: e\n"
                    "    match: {service: s}\n"
                    "    arms: [{name: x, backend: a}]\n"
                    "    policy: {name: linucb}\n"
                    "    reward: {metric: error}\n"),
            "f:6: experiments.e.policy.name = \"linucb\" needs features, "
            "expected `context.features`");
}

TEST(LoadTest, NamesOfExperimentsAreUnique) {
  const std::string one =
      "  - name: e\n"
      "    match: {service: s}\n"
      "    arms: [{name: x, backend: a}]\n"
      "    policy: {name: fixed_split}\n";
  EXPECT_EQ(
      Message("backends: {a: {address: 'h:1'}}\nexperiments:\n" + one + one),
      "f:7: experiments.e.name = \"e\" is a duplicate of line 3, expected "
      "another name");
}

// The learning loop must not be let in on what nobody should read.
TEST(LoadTest, NoMessageHoldsASecret) {
  const auto env = [](std::string_view) { return "s3cret"; };
  for (std::string_view text :
       {"token_key: s3cret\n", "token_key: [s3cret]\n",
        "token_key: {s3cret: s3cret}\n", "token_kye: s3cret\n",
        "token_key: ${KEY}\nbackends: ${KEY}\n", "listen: ${KEY}\n",
        "workers: ${KEY}\n", "state: ${KEY}\n", "default_backend: ${KEY}\n",
        "state: redis://u:s3cret@h\n", "listen: http://u:s3cret@h:1\n",
        "backends: {a: {address: 'http://u:s3cret@h:1'}}\n",
        "backends: {a: {address: '${KEY}'}}\n",
        "experiments: [{name: '${KEY} x'}]\n",
        "experiments: [{name: a, policy: {name: '${KEY}', floor: "
        "'${KEY}'}}]\n"}) {
    const auto loaded = LoadText(text, "f", env);
    ASSERT_FALSE(loaded.ok()) << text;
    EXPECT_THAT(std::string(loaded.status().message()),
                Not(HasSubstr("s3cret")))
        << text;
  }
}

TEST(LoadTest, DigestDependsOnTheMeaningAlone) {
  const auto digest = [](std::string_view text) {
    const auto loaded = LoadText(text, "f", NoVariables);
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    return loaded.ok() ? loaded->digest : "";
  };
  const std::string a = digest(
      "backends: {a: {address: 'h:1'}, b: {address: 'h:2'}}\nworkers: 0\n");
  EXPECT_EQ(a.size(), 32u);
  EXPECT_EQ(a, digest("# c\nbackends:\n  b: {address: ['h:2']}\n"
                      "  a: {address: 'h:1', connect_timeout: 5000ms}\n"
                      "token_key: ''\n"))
      << "order, style, defaults";
  EXPECT_NE(a, digest("backends: {a: {address: 'h:1'}}\n"));
}

TEST(LoadTest, SaysWhyAFileCannotBeRead) {
  const TemporaryDirectory directory;
  const std::string missing = directory.file("missing.yaml");
  const auto absent = Load(missing);
  EXPECT_EQ(absent.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(absent.status().message()),
            missing +
                ": No such file or directory, expected a config file that can "
                "be read");

  const auto folder = Load(directory.file(""));
  EXPECT_THAT(std::string(folder.status().message()),
              HasSubstr(": Is a directory, expected"));

  const std::string large = directory.file("large.yaml");
  std::ofstream(large) << "a: " << std::string(2 << 20, 'x');
  EXPECT_THAT(std::string(Load(large).status().message()),
              StartsWith(large + ":1: the file has more than 1048576 bytes"));
}

TEST(LoadTest, SaysThatAFileMayNotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const TemporaryDirectory directory;
  const std::string path = directory.file("f.yaml");
  std::ofstream(path) << "backends: {a: {address: 'h:1'}}\n";
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  EXPECT_EQ(Load(path).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST(LoadTest, ReadsAFile) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("f.yaml");
  std::ofstream(path) << "backends: {a: {address: 'h:1'}}\nworkers: x\n";
  EXPECT_THAT(std::string(Load(path).status().message()),
              StartsWith(path + ":2: workers = \"x\""));
}

}  // namespace
}  // namespace bandit::config
