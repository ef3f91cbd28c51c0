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

TEST(DescribeFailureTest, AWrongPortOrAWrongTongueSaysWhatToDo) {
  const auto describe = [](const std::string& message, RouterAddress router) {
    return DescribeFailure({grpc::UNAVAILABLE, message}, /*connected=*/false,
                           router);
  };
  const auto with = [](auto change) {
    RouterAddress router = kRouter;
    change(router);
    return router;
  };
  EXPECT_THAT(describe("x: Trying to connect an http1.x server", kRouter),
              HasSubstr("speaks HTTP/1, so it is not the router's control "
                        "address; is it the admin port?"));
  EXPECT_THAT(describe("x: error:0A00010B:SSL routines::wrong version number",
                       with([](auto& r) { r.tls = true; })),
              HasSubstr("does not speak TLS"));
  EXPECT_THAT(describe("x: SSL routines::certificate verify failed",
                       with([](auto& r) { r.ca = "ca.pem"; })),
              HasSubstr("is not signed by an authority in ca.pem; --tls-ca"));
  EXPECT_THAT(describe("x: Peer name a is not in peer certificate",
                       with([](auto& r) { r.ca = "ca.pem"; })),
              HasSubstr("for another name: peer name a is not in peer "
                        "certificate; --tls-name"));
  EXPECT_THAT(describe("x: Socket closed", kRouter),
              HasSubstr("does it speak TLS? --tls-ca FILE, or --tls"));
  EXPECT_THAT(describe("x: Socket closed", with([](auto& r) { r.tls = true; })),
              HasSubstr("does it ask for a certificate? --tls-cert"));
  EXPECT_THAT(describe("recvmsg:Connection reset by peer",
                       with([](auto& r) { r.certificate = "me.pem"; })),
              HasSubstr("is me.pem signed by its control_tls.client_ca?"));
  EXPECT_THAT(describe("DNS: Domain name not found", kRouter),
              HasSubstr("has a name that nobody knows"));
  // An answer that merely says so is the router's own.
  EXPECT_THAT(DescribeFailure({grpc::UNAVAILABLE, "Socket closed"},
                              /*connected=*/true, kRouter),
              HasSubstr("took nothing: Socket closed"));
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
