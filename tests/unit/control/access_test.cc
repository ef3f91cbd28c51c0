// SPDX-License-Identifier: Apache-2.0
#include "router/control/access.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::control {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Door = Access::Door;

constexpr char kStatus[] = "/bandit.v1.Admin/GetStatus";
constexpr char kReflect[] =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

TEST(AccessTest, WithoutTokenAndCertificatesAllIsOpen) {
  const Access access({});
  for (const Door door : {Door::kControl, Door::kListen}) {
    EXPECT_TRUE(access.Check(door, kStatus, "").ok());
    EXPECT_TRUE(access.Check(door, kReflect, "").ok());
  }
  EXPECT_TRUE(access.CheckNames({}, {}).ok());
}

TEST(AccessTest, ATokenIsAskedOfAllButRewardsAndHealth) {
  const Access access({.token = "secret"});
  for (const Door door : {Door::kControl, Door::kListen}) {
    for (const char* open :
         {"/bandit.v1.Feedback/Record", "/grpc.health.v1.Health/Check"}) {
      EXPECT_TRUE(access.Check(door, open, "").ok()) << open;
    }
    for (const char* closed :
         {kStatus, kReflect, "/bandit.v1.FeedbackX/Record",
          "/bandit.v1.Feedback", "/bandit.v1.", "/grpc."}) {
      EXPECT_TRUE(access.Check(door, closed, "Bearer secret").ok()) << closed;
      EXPECT_TRUE(access.Check(door, closed, "bEARER secret").ok()) << closed;
      for (const char* wrong :
           {"", "secret", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets",
            "Bearer  secret", "Bearer SECRET", "Basic secret"}) {
        const absl::Status refused = access.Check(door, closed, wrong);
        EXPECT_EQ(refused.code(), absl::StatusCode::kUnauthenticated) << wrong;
        EXPECT_THAT(std::string(refused.message()), HasSubstr("control_token"));
        EXPECT_THAT(std::string(refused.message()), Not(HasSubstr("secre")));
      }
    }
  }
}

TEST(AccessTest, ListenIsNoWayAroundCertificates) {
  const Access access({.mutual_tls = true});
  EXPECT_TRUE(access.Check(Door::kControl, kStatus, "").ok());
  const absl::Status refused = access.Check(Door::kListen, kStatus, "");
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("control_token"));
  EXPECT_TRUE(
      access.Check(Door::kListen, "/bandit.v1.Feedback/Record", "").ok());
}

TEST(AccessTest, ATokenOpensListenThoughCertificatesAreAskedFor) {
  const Access access({.token = "secret", .mutual_tls = true});
  EXPECT_TRUE(access.Check(Door::kListen, kStatus, "Bearer secret").ok());
  EXPECT_FALSE(access.Check(Door::kControl, kStatus, "").ok());
}

TEST(AccessTest, OnlyNamedClients) {
  const Access access(
      {.mutual_tls = true, .client_names = {"*.ops.test", "spiffe://c/ops"}});
  EXPECT_TRUE(access.CheckNames({"x.test", "a.ops.test"}, {}).ok());
  EXPECT_TRUE(access.CheckNames({}, {"spiffe://c/ops"}).ok());
  EXPECT_FALSE(access.CheckNames({}, {}).ok());
  // A DNS name is no URI.
  EXPECT_FALSE(access.CheckNames({}, {"a.ops.test"}).ok());
  EXPECT_EQ(access.CheckNames({"a.b.ops.test"}, {"spiffe://c/ops/x"}).code(),
            absl::StatusCode::kPermissionDenied);
}

TEST(AccessTest, TokensSayWhoCalls) {
  const Access access(
      {.token = "main", .identities = {{"ann", "a"}, {"bob", "b"}}});
  EXPECT_EQ(access.Identify("Bearer main"), "operator");
  EXPECT_EQ(access.Identify("Bearer a"), "ann");
  EXPECT_EQ(access.Identify("bearer b"), "bob");
  for (const char* nobody : {"", "a", "Bearer ", "Bearer", "Basic a",
                             "Bearer c", "Bearer a ", "Bearer ab"}) {
    EXPECT_EQ(access.Identify(nobody), "") << nobody;
  }
  for (const char* token : {"Bearer main", "Bearer a", "Bearer b"}) {
    EXPECT_TRUE(
        access.Check(Access::Door::kListen, "/bandit.v1.Admin/Start", token)
            .ok());
  }
}

// Who mixes the ports up is told so, whatever else he lacks.
TEST(AccessTest, ARequestForAModelIsSentToTheOtherPort) {
  for (const Access& access : {Access({}), Access({.token = "secret"})}) {
    const absl::Status refused = access.Check(
        Door::kControl, "/inference.GRPCInferenceService/ModelInfer", "");
    EXPECT_EQ(refused.code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(std::string(refused.message()),
                AllOf(HasSubstr("GRPCInferenceService/ModelInfer"),
                      HasSubstr("`listen` port")));
    for (const char* unserved : {"/some.Other/Method", "/", ""}) {
      EXPECT_EQ(access.Check(Door::kControl, unserved, "").code(),
                absl::StatusCode::kUnimplemented);
    }
    EXPECT_LT(access.Check(Door::kControl, "/" + std::string(9000, 'x'), "")
                  .message()
                  .size(),
              400u);
  }
}

// Without control_token the empty token is nobody's.
TEST(AccessTest, IdentitiesAloneCloseTheDoor) {
  const Access access({.token = "", .identities = {{"ann", "a"}}});
  for (const char* refused : {"", "Bearer ", "Bearer x"}) {
    EXPECT_EQ(
        access.Check(Access::Door::kControl, "/bandit.v1.Admin/Start", refused)
            .code(),
        absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(access.Identify(refused), "");
  }
  EXPECT_TRUE(
      access.Check(Access::Door::kControl, "/bandit.v1.Admin/Start", "Bearer a")
          .ok());
}

}  // namespace
}  // namespace bandit::control
