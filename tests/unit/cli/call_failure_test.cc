// SPDX-License-Identifier: Apache-2.0
#include "clients/cli/call_failure.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::cli {
namespace {

using ::testing::HasSubstr;

const RouterAddress kRouter = {"127.0.0.1:8081", absl::Milliseconds(2500)};

TEST(DescribeFailureTest, ARefusedConnectionNamesAddressCauseAndMend) {
  EXPECT_EQ(
      DescribeFailure({grpc::UNAVAILABLE,
                       "failed to connect to all addresses; last error: "
                       "UNKNOWN: ipv4:127.0.0.1:8081: Failed to connect to "
                       "remote host: Connection refused"},
                      /*connected=*/false, kRouter),
      "no router at 127.0.0.1:8081: connection refused; is it running, and is "
      "--address its control address?");
}

TEST(DescribeFailureTest, ACauseWithoutItsHistoryIsTakenAsItIs) {
  EXPECT_THAT(
      DescribeFailure({grpc::UNAVAILABLE, "HTTP/2 said no"}, false, kRouter),
      HasSubstr("no router at 127.0.0.1:8081: HTTP/2 said no; is it"));
  EXPECT_THAT(DescribeFailure({grpc::UNAVAILABLE, ""}, false, kRouter),
              HasSubstr("no router at 127.0.0.1:8081: "));
}

TEST(DescribeFailureTest, ASilentAddressIsNotASlowRouter) {
  EXPECT_EQ(DescribeFailure({grpc::DEADLINE_EXCEEDED, "Deadline Exceeded"},
                            /*connected=*/false, kRouter),
            "no router at 127.0.0.1:8081: no connection within 2.5 s; is it "
            "running, and is --address its control address?");
  EXPECT_EQ(DescribeFailure({grpc::DEADLINE_EXCEEDED, "Deadline Exceeded"},
                            /*connected=*/true, kRouter),
            "the router at 127.0.0.1:8081 did not answer within 2.5 s; is it "
            "overloaded? --timeout waits longer");
}

// The router itself says UNAVAILABLE when its state cannot be written.
TEST(DescribeFailureTest, ARefusalOfTheRouterIsNotAMissingRouter) {
  for (const auto code : {grpc::UNAVAILABLE, grpc::RESOURCE_EXHAUSTED}) {
    EXPECT_EQ(DescribeFailure({code, "disk: full"}, true, kRouter),
              "the router at 127.0.0.1:8081 took nothing: disk: full; try "
              "again later");
  }
}

TEST(DescribeFailureTest, AnUnknownExperimentPointsToTheList) {
  EXPECT_EQ(DescribeFailure({grpc::NOT_FOUND, "no experiment is named x"}, true,
                            kRouter),
            "no experiment is named x, says the router at 127.0.0.1:8081; "
            "`banditctl status` lists those there are");
}

TEST(DescribeFailureTest, AMissingTokenPointsToTheFlag) {
  EXPECT_EQ(DescribeFailure({grpc::UNAUTHENTICATED, "it asks for one"}, true,
                            kRouter),
            "the router at 127.0.0.1:8081 asks for a token: it asks for one; "
            "give it with --token or BANDIT_CONTROL_TOKEN");
  EXPECT_EQ(
      DescribeFailure({grpc::PERMISSION_DENIED, "not here"}, true, kRouter),
      "the router at 127.0.0.1:8081 refuses: not here");
}

TEST(DescribeFailureTest, AnotherServerIsNoRouter) {
  EXPECT_THAT(DescribeFailure({grpc::UNIMPLEMENTED, ""}, true, kRouter),
              HasSubstr("what answers at 127.0.0.1:8081 is no router"));
}

TEST(DescribeFailureTest, AnyOtherStatusIsShownWithItsNumber) {
  EXPECT_EQ(DescribeFailure({grpc::INTERNAL, "oops"}, true, kRouter),
            "the router at 127.0.0.1:8081 failed: oops (gRPC status 13)");
}

}  // namespace
}  // namespace bandit::cli
