// SPDX-License-Identifier: Apache-2.0
#include "router/upstream/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/upstream/fake_resolver.h"

namespace bandit::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

class NamesTest : public ::testing::Test {
 protected:
  void Make(std::initializer_list<const char*> texts) {
    std::vector<Address> addresses;
    for (const char* text : texts) {
      addresses.push_back(ParseAddress(text).value());
    }
    names = std::make_unique<Names>(
        addresses, resolver.resolver(), 30 * kSecond,
        [this](const absl::Status& status) { last = status; });
  }

  std::vector<std::string> Targets() const {
    std::vector<std::string> texts;
    for (const Address& target : names->targets()) {
      texts.push_back(target.ToString());
    }
    return texts;
  }

  FakeResolver resolver;
  std::unique_ptr<Names> names;
  absl::Status last;
};

TEST_F(NamesTest, AnAddressIsTakenAsItIs) {
  Make({"10.0.0.1:80", "[::1]:80", "unix:/run/m.sock"});
  EXPECT_EQ(names->Tick(0), Names::kNever);
  EXPECT_TRUE(resolver.asked.empty());
  EXPECT_THAT(Targets(),
              ElementsAre("10.0.0.1:80", "[::1]:80", "unix:/run/m.sock"));
}

TEST_F(NamesTest, ANameStandsForAllItsAddressesOnceItIsLookedUp) {
  Make({"dns:///ranker:80"});
  EXPECT_THAT(Targets(), ElementsAre("ranker:80"));
  names->Tick(kSecond);
  ASSERT_EQ(resolver.asked.size(), 1u);
  EXPECT_EQ(resolver.asked[0].name.host, "ranker");
  resolver.Answer({"10.0.0.1:80", "[fd00::1]:80"});
  EXPECT_THAT(Targets(), ElementsAre("10.0.0.1:80", "[fd00::1]:80"));
  EXPECT_EQ(names->targets()[0].server_name(), "ranker");
}

TEST_F(NamesTest, AnAddressThatTwoStandForIsThereOnce) {
  Make({"dns:///ranker:80", "10.0.0.1:80"});
  names->Tick(kSecond);
  resolver.Answer({"10.0.0.1:80"});
  EXPECT_THAT(Targets(), ElementsAre("10.0.0.1:80"));
}

TEST_F(NamesTest, IsLookedUpAgainWhenItsTimeIsOver) {
  Make({"ranker:80"});
  names->Tick(kSecond);
  names->Tick(kSecond);  // Under way.
  ASSERT_EQ(resolver.asked.size(), 1u);
  resolver.Answer({"10.0.0.1:80"});
  EXPECT_EQ(names->Tick(2 * kSecond), 31 * kSecond);
  EXPECT_TRUE(resolver.asked.empty());
  names->Tick(31 * kSecond);
  resolver.Answer({"10.0.0.2:80"});
  EXPECT_THAT(Targets(), ElementsAre("10.0.0.2:80"));
}

TEST_F(NamesTest, AFailureKeepsTheLastAnswerAndIsRepeatedSooner) {
  Make({"ranker:80"});
  names->Tick(kSecond);
  resolver.Answer({"10.0.0.1:80"});
  int64_t now = 31 * kSecond;
  for (const int64_t wait : {1, 2, 4, 8, 16, 30, 30}) {
    names->Tick(now);
    resolver.Fail("no such name");
    EXPECT_THAT(std::string(last.message()),
                HasSubstr("ranker:80: no such name"));
    EXPECT_THAT(Targets(), ElementsAre("10.0.0.1:80"));
    EXPECT_EQ(names->Tick(now + 1), now + wait * kSecond);
    now += wait * kSecond;
  }
  names->Tick(now);
  resolver.Answer({"10.0.0.2:80"});
  EXPECT_TRUE(last.ok());
  EXPECT_EQ(names->Tick(now + 1), now + 30 * kSecond);
}

TEST_F(NamesTest, HurryLooksUpNowButNotMoreThanOnceASecond) {
  Make({"ranker:80"});
  names->Tick(kSecond);
  resolver.Answer({"10.0.0.1:80"});
  names->Hurry(kSecond + 1);
  EXPECT_EQ(names->Tick(kSecond + 1), 2 * kSecond);
  EXPECT_TRUE(resolver.asked.empty());
  names->Tick(2 * kSecond);
  EXPECT_EQ(resolver.asked.size(), 1u);
}

TEST_F(NamesTest, AnAnswerThatComesTooLateIsDropped) {
  Make({"ranker:80"});
  names->Tick(kSecond);
  names.reset();
  resolver.Answer({"10.0.0.1:80"});
}

}  // namespace
}  // namespace bandit::upstream
