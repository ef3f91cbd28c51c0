// SPDX-License-Identifier: Apache-2.0
#include "bandit/client/subject.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(SubjectTest, IsMetadataInTheOrderGiven) {
  Subject subject;
  subject.Unit("user-7").Feature("X-Device", "ios").Feature("x-age", 31);
  EXPECT_TRUE(subject.status().ok()) << subject.status();
  EXPECT_THAT(subject.metadata(),
              ElementsAre(Pair("x-bandit-unit", "user-7"),
                          Pair("x-device", "ios"), Pair("x-age", "31")));
}

TEST(SubjectTest, TheUnitsKeyIsTheConfigs) {
  EXPECT_THAT(Subject().Unit("7", "x-user-id").metadata(),
              ElementsAre(Pair("x-user-id", "7")));
}

TEST(SubjectTest, ANumberIsWrittenInFull) {
  EXPECT_THAT(Subject().Feature("x", 0.1).Feature("y", -1e300).metadata(),
              ElementsAre(Pair("x", "0.1"), Pair("y", "-1e+300")));
}

TEST(SubjectTest, AnEmptyUnitIsNone) {
  const Subject subject = Subject().Unit("");
  EXPECT_TRUE(subject.status().ok());
  EXPECT_THAT(subject.metadata(), IsEmpty());
}

// Each of these would abort the process inside of gRPC, or be changed by it.
TEST(SubjectTest, WhatCannotBeSentIsLeftOutAndSaid) {
  struct Case {
    const char* key;
    const char* value;
    const char* says;
  };
  for (const Case& c :
       {Case{"x-user", "jos\xc3\xa9", "printable ASCII"},
        Case{"x-user", "a\nb", "printable ASCII"},
        Case{"x-user", " a", "space"}, Case{"x-user", "a ", "space"},
        Case{"x user", "a", "not a metadata key"},
        Case{"", "a", "not a metadata key"},
        Case{":path", "a", "not a metadata key"},
        Case{"grpc-timeout", "1S", "gRPC's own"},
        Case{"x-bin", "a", "binary"}}) {
    Subject subject;
    subject.Feature(c.key, c.value).Feature("x-good", "1");
    EXPECT_THAT(subject.metadata(), ElementsAre(Pair("x-good", "1")));
    EXPECT_EQ(subject.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(subject.status().message()), HasSubstr(c.says));
  }
}

TEST(SubjectTest, ANumberThatIsNoneIsLeftOut) {
  const Subject subject =
      Subject().Feature("x-age", std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(subject.metadata(), IsEmpty());
  EXPECT_THAT(std::string(subject.status().message()),
              HasSubstr("x-age = nan is not finite"));
}

}  // namespace
}  // namespace bandit::client
