// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "clients/cli/commands.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kGood = BANDIT_CONFIG_TESTDATA "/example.yaml";
// No config at all: its first line is a comment of CMake.
const std::string kBad = BANDIT_CONFIG_TESTDATA "/../CMakeLists.txt";
const std::string kMissing = BANDIT_CONFIG_TESTDATA "/missing.yaml";

google::protobuf::Struct Parsed(const std::string& json) {
  google::protobuf::Struct parsed;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &parsed).ok())
      << json;
  return parsed;
}

TEST(ValidateTest, AGoodConfigIsSummed) {
  const Result result = Validate(kGood, /*json=*/false);
  EXPECT_EQ(result.code, ExitCode::kOk);
  EXPECT_THAT(result.out, StartsWith(kGood + ": ok, "));
  EXPECT_EQ(result.error, "");
}

TEST(ValidateTest, ABadConfigGivesItsErrorLinesAlone) {
  const Result result = Validate(kBad, /*json=*/false);
  EXPECT_EQ(result.code, ExitCode::kInvalid);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.error, StartsWith(kBad + ":"));
  EXPECT_EQ(result.error.back(), '\n');
}

TEST(ValidateTest, AFileThatIsNotThereIsInvalid) {
  const Result result = Validate(kMissing, /*json=*/false);
  EXPECT_EQ(result.code, ExitCode::kInvalid);
  EXPECT_THAT(result.error, HasSubstr("missing.yaml: No such file"));
}

TEST(ValidateTest, JsonSaysOkWithNoErrors) {
  const Result result = Validate(kGood, /*json=*/true);
  EXPECT_EQ(result.code, ExitCode::kOk);
  const auto verdict = Parsed(result.out);
  EXPECT_TRUE(verdict.fields().at("ok").bool_value());
  EXPECT_EQ(verdict.fields().at("errors").list_value().values_size(), 0);
}

TEST(ValidateTest, JsonHoldsEachErrorLineOnStandardOutput) {
  const Result text = Validate(kMissing, /*json=*/false);
  const Result result = Validate(kMissing, /*json=*/true);
  EXPECT_EQ(result.code, ExitCode::kInvalid);
  EXPECT_EQ(result.error, "");
  const auto verdict = Parsed(result.out);
  EXPECT_FALSE(verdict.fields().at("ok").bool_value());
  const auto& errors = verdict.fields().at("errors").list_value();
  ASSERT_EQ(errors.values_size(), 1);
  EXPECT_EQ(errors.values(0).string_value() + "\n", text.error);
}

}  // namespace
}  // namespace bandit::cli
