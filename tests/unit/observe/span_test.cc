// SPDX-License-Identifier: Apache-2.0
#include "router/observe/span.h"

#include <map>
#include <string>

#include "gtest/gtest.h"
#include "opentelemetry/trace_service.pb.h"
#include "tests/unit/observe/calls.h"

namespace bandit::observe {
namespace {

using ::bandit::testing::FullCall;

otlp::Span SpanOf(const Call& call) {
  otlp::Span span;
  FillSpan(call, &span);
  return span;
}

std::map<std::string, otlp::AnyValue> AttributesOf(const otlp::Span& span) {
  std::map<std::string, otlp::AnyValue> attributes;
  for (const auto& attribute : span.attributes()) {
    EXPECT_TRUE(attributes.emplace(attribute.key(), attribute.value()).second)
        << attribute.key();
  }
  return attributes;
}

TEST(SpanTest, SaysWhatWasDecidedAndHowItWent) {
  const otlp::Span span = SpanOf(FullCall());
  EXPECT_EQ(span.name(), "inference.GRPCInferenceService/ModelInfer");
  EXPECT_EQ(span.kind(), otlp::Span::SPAN_KIND_SERVER);
  EXPECT_EQ(span.trace_id().size(), 16u);
  EXPECT_EQ(static_cast<uint8_t>(span.trace_id()[0]), 0x0A);
  EXPECT_EQ(span.span_id().size(), 8u);
  EXPECT_EQ(span.parent_span_id().size(), 8u);
  EXPECT_EQ(span.flags(), 1u);
  EXPECT_EQ(span.end_time_unix_nano() - span.start_time_unix_nano(),
            2'500'000u);
  EXPECT_EQ(span.status().code(), otlp::Status::STATUS_CODE_UNSET);

  auto attributes = AttributesOf(span);
  EXPECT_EQ(attributes["rpc.system"].string_value(), "grpc");
  EXPECT_EQ(attributes["rpc.service"].string_value(),
            "inference.GRPCInferenceService");
  EXPECT_EQ(attributes["rpc.method"].string_value(), "ModelInfer");
  EXPECT_EQ(attributes["rpc.grpc.status_code"].int_value(), 0);
  EXPECT_EQ(attributes["bandit.experiment"].string_value(), "ranker");
  EXPECT_EQ(attributes["bandit.arm"].string_value(), "candidate");
  EXPECT_EQ(attributes["bandit.propensity"].double_value(), 0.25);
  EXPECT_EQ(attributes["bandit.decision_id"].string_value(),
            "0000000000001234");
  EXPECT_EQ(attributes["bandit.backend"].string_value(), "ranker-b");
  EXPECT_EQ(attributes["bandit.endpoint"].string_value(), "10.0.0.7:8001");
  EXPECT_EQ(attributes["bandit.retries"].int_value(), 1);
}

TEST(SpanTest, ARootHasNoParentAndAnUndecidedCallNoDecision) {
  Call call = FullCall();
  call.has_parent = false;
  call.decided = false;
  call.experiment = call.arm = "";
  const otlp::Span span = SpanOf(call);
  EXPECT_EQ(span.parent_span_id(), "");
  const auto attributes = AttributesOf(span);
  for (const char* key : {"bandit.experiment", "bandit.arm",
                          "bandit.propensity", "bandit.decision_id"}) {
    EXPECT_FALSE(attributes.contains(key)) << key;
  }
}

TEST(SpanTest, OnlyAServersFailureIsAnError) {
  for (const auto& [grpc, code, error] : {std::tuple(true, 0, false),
                                          {true, 5, false},
                                          {true, 1, false},
                                          {true, 2, true},
                                          {true, 4, true},
                                          {true, 14, true},
                                          {true, 8, false},
                                          {false, 404, false},
                                          {false, 503, true},
                                          {false, 200, false},
                                          {true, 502, true},
                                          {false, 2, true}}) {
    Call call = FullCall();
    call.grpc = grpc;
    call.code = code;
    EXPECT_EQ(SpanOf(call).status().code() == otlp::Status::STATUS_CODE_ERROR,
              error)
        << code;
  }
}

TEST(SpanTest, APlainRequestIsHttpAndItsPathNoName) {
  Call call = FullCall();
  call.grpc = false;
  call.code = 200;
  call.verb = "GET";
  call.path = "/models/7?token=secret";
  const otlp::Span span = SpanOf(call);
  EXPECT_EQ(span.name(), "GET");
  auto attributes = AttributesOf(span);
  EXPECT_EQ(attributes["url.path"].string_value(), "/models/7");
  EXPECT_EQ(attributes["http.response.status_code"].int_value(), 200);
  EXPECT_FALSE(attributes.contains("rpc.system"));
}

// A proxy on the way to the backend may answer in HTTP's own words.
TEST(SpanTest, AStatusIsNamedAsWhatItIs) {
  Call call = FullCall();
  call.code = 502;
  auto attributes = AttributesOf(SpanOf(call));
  EXPECT_EQ(attributes["http.response.status_code"].int_value(), 502);
  EXPECT_FALSE(attributes.contains("rpc.grpc.status_code"));
  EXPECT_EQ(attributes["rpc.method"].string_value(), "ModelInfer");
}

// Protobuf refuses to send text that is no UTF-8.
TEST(SpanTest, WhatACallerSendsCanBeSentOn) {
  Call call = FullCall();
  call.path = "/a\xFF/b\xFE";
  call.authority = "\xC0";
  const otlp::Span span = SpanOf(call);
  EXPECT_EQ(span.name(), "a\xEF\xBF\xBD/b\xEF\xBF\xBD");
  otlp::Span again;
  EXPECT_TRUE(again.ParseFromString(span.SerializeAsString()));
}

}  // namespace
}  // namespace bandit::observe
