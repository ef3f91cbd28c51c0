// SPDX-License-Identifier: Apache-2.0
#include "router/proxy/grpc_status.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <cstdint>

namespace bandit::proxy {
namespace {

TEST(GrpcStatusTest, ReadsEveryTimeoutUnit) {
  EXPECT_EQ(ParseGrpcTimeout("1H"), 3'600'000'000'000);
  EXPECT_EQ(ParseGrpcTimeout("2M"), 120'000'000'000);
  EXPECT_EQ(ParseGrpcTimeout("3S"), 3'000'000'000);
  EXPECT_EQ(ParseGrpcTimeout("250m"), 250'000'000);
  EXPECT_EQ(ParseGrpcTimeout("7u"), 7'000);
  EXPECT_EQ(ParseGrpcTimeout("99999999n"), 99'999'999);
}

TEST(GrpcStatusTest, RefusesTimeoutsThatAreNone) {
  for (const char* bad : {"", "S", "5", "5x", "-1S", "-0S", "+1S", " 1S", "1 S",
                          "123456789S", "1.5S"}) {
    EXPECT_EQ(ParseGrpcTimeout(bad), std::nullopt) << bad;
  }
}

TEST(GrpcStatusTest, ATimeoutBeyondTheClockIsCutOff) {
  EXPECT_EQ(ParseGrpcTimeout("99999999H"), INT64_MAX);
}

TEST(GrpcStatusTest, WritesATimeoutInEightDigitsAndNeverShorter) {
  EXPECT_EQ(FormatGrpcTimeout(-5), "1n");
  EXPECT_EQ(FormatGrpcTimeout(0), "1n");
  EXPECT_EQ(FormatGrpcTimeout(99'999'999), "99999999n");
  EXPECT_EQ(FormatGrpcTimeout(100'000'000), "100000u");
  EXPECT_EQ(FormatGrpcTimeout(100'000'001), "100001u");
  EXPECT_EQ(FormatGrpcTimeout(100'000'000'000), "100000m");
  EXPECT_EQ(FormatGrpcTimeout(INT64_MAX), "2562048H");
  for (const int64_t ns : {int64_t{1}, int64_t{123'456'789},
                           int64_t{86'400'000'000'123}, INT64_MAX / 4}) {
    const auto read = ParseGrpcTimeout(FormatGrpcTimeout(ns));
    ASSERT_TRUE(read.has_value());
    EXPECT_GE(*read, ns);
    EXPECT_LT(static_cast<double>(*read - ns),
              1e-5 * static_cast<double>(ns) + 1);
  }
}

TEST(GrpcStatusTest, AnOddStatusIsUnknown) {
  EXPECT_EQ(ParseGrpcStatus("0"), 0);
  EXPECT_EQ(ParseGrpcStatus("16"), 16);
  for (const char* bad : {"", "17", "-1", "-0", "x", "1x", "4294967296"}) {
    EXPECT_EQ(ParseGrpcStatus(bad), 2) << bad;
  }
}

TEST(GrpcStatusTest, MessagesArePercentEncoded) {
  EXPECT_EQ(EncodeGrpcMessage("50% of caf\xc3\xa9\n"), "50%25 of caf%C3%A9%0A");
}

TEST(GrpcStatusTest, OnlyGrpcIsGrpc) {
  EXPECT_TRUE(IsGrpc("application/grpc"));
  EXPECT_TRUE(IsGrpc("application/grpc+proto"));
  EXPECT_TRUE(IsGrpc("application/grpc;charset=utf-8"));
  EXPECT_FALSE(IsGrpc("application/grpc-web"));
  EXPECT_FALSE(IsGrpc("application/json"));
  EXPECT_FALSE(IsGrpc(""));
}

// gRPC's table: only REFUSED_STREAM says that nothing was processed.
TEST(GrpcStatusTest, ResetsReadAsGrpcHasIt) {
  EXPECT_EQ(StatusOfReset(NGHTTP2_REFUSED_STREAM), GrpcStatus::kUnavailable);
  EXPECT_EQ(StatusOfReset(NGHTTP2_CANCEL), GrpcStatus::kCancelled);
  EXPECT_EQ(StatusOfReset(NGHTTP2_ENHANCE_YOUR_CALM),
            GrpcStatus::kResourceExhausted);
  EXPECT_EQ(StatusOfReset(NGHTTP2_INTERNAL_ERROR), GrpcStatus::kInternal);
}

}  // namespace
}  // namespace bandit::proxy
