// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/condition.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

v1::ConditionConfig About(const std::string& key) {
  v1::ConditionConfig config;
  config.set_metadata(key);
  return config;
}

// With these values of x-key, between other fields.
bool Holds(const v1::ConditionConfig& config,
           const std::vector<std::string>& values) {
  std::vector<http2::Header> headers = {{":path", "/s/m"}, {"x-other", "de"}};
  for (const std::string& value : values) headers.push_back({"x-key", value});
  headers.push_back({"x-last", "7"});
  return Condition(config).Holds(headers);
}

TEST(ConditionTest, In) {
  v1::ConditionConfig c = About("x-key");
  c.add_in("de");
  c.add_in("at");
  EXPECT_TRUE(Holds(c, {"de"}));
  EXPECT_TRUE(Holds(c, {"fr", "at"}));
  EXPECT_FALSE(Holds(c, {"fr"}));
  EXPECT_FALSE(Holds(c, {"DE"}));
  EXPECT_FALSE(Holds(c, {"de "}));
  EXPECT_FALSE(Holds(c, {}));
}

TEST(ConditionTest, NotInHoldsForWhatIsNotGiven) {
  v1::ConditionConfig c = About("x-key");
  c.add_not_in("bot");
  EXPECT_TRUE(Holds(c, {}));
  EXPECT_TRUE(Holds(c, {"app"}));
  EXPECT_FALSE(Holds(c, {"bot"}));
  EXPECT_FALSE(Holds(c, {"app", "bot"}));
}

TEST(ConditionTest, Prefix) {
  v1::ConditionConfig c = About("x-key");
  c.set_prefix("beta-");
  EXPECT_TRUE(Holds(c, {"beta-7"}));
  EXPECT_TRUE(Holds(c, {"beta-"}));
  EXPECT_FALSE(Holds(c, {"beta"}));
  EXPECT_FALSE(Holds(c, {"a-beta-"}));
  EXPECT_FALSE(Holds(c, {}));
}

TEST(ConditionTest, ARangeTakesFiniteNumbersWithItsEnds) {
  v1::ConditionConfig c = About("x-key");
  c.set_min(-1.5);
  c.set_max(10);
  for (const char* in : {"-1.5", "0", "10", "1e1", "9.999"}) {
    EXPECT_TRUE(Holds(c, {in})) << in;
  }
  for (const char* out :
       {"-1.51", "10.01", "", "ten", "7x", " 7", "nan", "inf", "1e999"}) {
    EXPECT_FALSE(Holds(c, {out})) << out;
  }
  c.clear_min();
  EXPECT_TRUE(Holds(c, {"-1e300"}));
  EXPECT_FALSE(Holds(c, {"-inf"}));
}

TEST(ConditionTest, Present) {
  v1::ConditionConfig c = About("x-key");
  c.set_present(true);
  EXPECT_TRUE(Holds(c, {""}));
  EXPECT_FALSE(Holds(c, {}));
  c.set_present(false);
  EXPECT_FALSE(Holds(c, {""}));
  EXPECT_TRUE(Holds(c, {}));
}

// One value has to be all that is asked for, not each a part.
TEST(ConditionTest, AllThatIsAskedForMustHold) {
  v1::ConditionConfig c = About("x-key");
  c.set_prefix("1");
  c.set_max(50);
  c.add_not_in("13");
  EXPECT_TRUE(Holds(c, {"17"}));
  EXPECT_FALSE(Holds(c, {"13"}));
  EXPECT_FALSE(Holds(c, {"170", "20"}));
}

}  // namespace
}  // namespace bandit::experiment
