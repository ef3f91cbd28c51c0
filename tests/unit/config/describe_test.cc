// SPDX-License-Identifier: Apache-2.0
#include "router/config/describe.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "fmt/format.h"
#include "router/config/load.h"

namespace bandit::config {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::optional<std::string> NoVariables(std::string_view) {
  return std::nullopt;
}

v1::RouterConfig TestConfig(std::string_view name) {
  const auto loaded =
      Load(fmt::format("{}/{}", BANDIT_CONFIG_TESTDATA, name), NoVariables);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? loaded->proto : v1::RouterConfig();
}

class RoundTripTest : public testing::TestWithParam<const char*> {};

TEST_P(RoundTripTest, WhatIsWrittenIsReadBack) {
  const v1::RouterConfig config = TestConfig(GetParam());
  const std::string text = ToYaml(config);
  const auto again = LoadText(text, "written", NoVariables);
  ASSERT_TRUE(again.ok()) << again.status() << "\n" << text;
  EXPECT_TRUE(MessageDifferencer::Equals(again->proto, WithoutSecrets(config)))
      << text;
  EXPECT_EQ(ToYaml(again->proto), text);
}

INSTANTIATE_TEST_SUITE_P(Examples, RoundTripTest,
                         testing::Values("example.yaml", "design.yaml",
                                         "full.yaml", "split.yaml",
                                         "anchors.yaml"));

TEST(DescribeTest, SummarizesAConfig) {
  EXPECT_EQ(Summary(TestConfig("example.yaml")),
            "ok, 1 experiment, 2 backends");
  EXPECT_EQ(Summary(v1::RouterConfig()), "ok, 0 experiments, 0 backends");
}

TEST(DescribeTest, ShowsNoSecret) {
  v1::RouterConfig config = TestConfig("split.yaml");
  EXPECT_THAT(ToYaml(config), Not(HasSubstr("token_key")));
  config.set_token_key("s3cret");
  config.set_state("redis://user:s3cret@host/0");
  EXPECT_THAT(ToYaml(config), HasSubstr("token_key: \"***\"\n"));
  EXPECT_THAT(ToYaml(config), HasSubstr("state: \"redis://***@host/0\"\n"));
  EXPECT_THAT(ToYaml(config), Not(HasSubstr("s3cret")));
  EXPECT_THAT(WithoutSecrets(config).DebugString(), Not(HasSubstr("s3cret")));
}

TEST(DescribeTest, WritesTextThatYamlWouldTakeForSomethingElse) {
  v1::RouterConfig config = TestConfig("split.yaml");
  const std::string odd = "~ \"x\" \\ ${A} $${B} \t\n\x7F: - # \u00e9";
  config.mutable_experiments(0)->set_salt(odd);
  const auto again = LoadText(ToYaml(config), "written", NoVariables);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->proto.experiments(0).salt(), odd);
}

TEST(DescribeTest, NamesWhatAReloadCannotChange) {
  const v1::RouterConfig running = TestConfig("full.yaml");
  EXPECT_THAT(NeedRestart(running, running), IsEmpty());
  v1::RouterConfig loaded = running;
  loaded.mutable_experiments(0)->set_salt("new");
  loaded.mutable_limits()->set_max_concurrent_streams(9);
  EXPECT_THAT(NeedRestart(running, loaded), IsEmpty());
  loaded.set_workers(7);
  loaded.set_token_key("new");
  loaded.set_listen("127.0.0.1:1");
  EXPECT_THAT(NeedRestart(running, loaded),
              ElementsAre("listen", "workers", "token_key"));
  loaded.mutable_control_tls()->add_client_names("another.test");
  loaded.set_control_token("new");
  EXPECT_THAT(NeedRestart(running, loaded),
              ElementsAre("listen", "workers", "token_key", "control_tls",
                          "control_token"));
}

TEST(DescribeTest, AChangeOfAListOfTextNeedsARestartWhereItsFieldSaysSo) {
  v1::RouterConfig config;
  config.add_admin_hosts("a.example.com");
  v1::RouterConfig loaded = config;
  EXPECT_THAT(NeedRestart(config, loaded), IsEmpty());
  loaded.set_admin_hosts(0, "b.example.com");
  EXPECT_THAT(NeedRestart(config, loaded), ElementsAre("admin_hosts"));
  loaded = config;
  loaded.add_admin_hosts("b.example.com");
  EXPECT_THAT(NeedRestart(config, loaded), ElementsAre("admin_hosts"));
}

TEST(DescribeTest, ATokenWithinAListIsHiddenAndItsChangeNeedsARestart) {
  v1::RouterConfig config;
  v1::IdentityConfig* ann = config.add_identities();
  ann->set_name("ann");
  ann->set_token("hunter2");
  const std::string yaml = ToYaml(config);
  EXPECT_THAT(yaml, testing::HasSubstr("ann"));
  EXPECT_THAT(yaml, testing::HasSubstr("***"));
  EXPECT_THAT(yaml, testing::Not(testing::HasSubstr("hunter2")));

  v1::RouterConfig loaded = config;
  EXPECT_THAT(NeedRestart(config, loaded), testing::IsEmpty());
  loaded.mutable_identities(0)->set_token("other");
  EXPECT_THAT(NeedRestart(config, loaded), testing::ElementsAre("identities"));
  loaded = config;
  loaded.add_identities();
  EXPECT_THAT(NeedRestart(config, loaded), testing::ElementsAre("identities"));
}

}  // namespace
}  // namespace bandit::config
