// SPDX-License-Identifier: Apache-2.0
#include "examples/demo/router_config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::demo {
namespace {

using ::testing::HasSubstr;

TEST(RouterConfigTest, HasAnArmForEachVariantAndNoFixedPort) {
  const std::string config = RouterConfig(
      {.policy = "linucb",
       .state_path = "/somewhere/state.db",
       .variants = {{"small", "127.0.0.1:1001"}, {"large", "127.0.0.1:1002"}}});
  EXPECT_THAT(config, HasSubstr("listen: 127.0.0.1:0\n"));
  EXPECT_THAT(config, HasSubstr("state: \"sqlite:///somewhere/state.db\"\n"));
  EXPECT_THAT(config, HasSubstr("  large: {address: \"127.0.0.1:1002\"}\n"));
  EXPECT_THAT(config, HasSubstr("      - {name: large, backend: large}\n"));
  EXPECT_THAT(config, HasSubstr("policy: {name: linucb, floor: 0.02}\n"));
}

}  // namespace
}  // namespace bandit::demo
