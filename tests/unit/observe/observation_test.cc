// SPDX-License-Identifier: Apache-2.0
// Which calls are written down, and what a backend sees of the trace.
#include "router/observe/observation.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/observe/calls.h"

namespace bandit::observe {
namespace {

constexpr std::string_view kSampled =
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view kNotSampled =
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
constexpr std::string_view kMalformed =
    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01";

class ObservationTest : public ::testing::Test {
 protected:
  void Configure(std::optional<double> traced, std::optional<double> logged) {
    tap_.Configure({.traced = traced, .logged = logged});
  }

  void AddField(std::string_view name, std::string_view value) {
    request_.AddBorrowed(name, value);
  }

  // One call; its code. What the backend sees is then in request_.
  void Run(int code = 0) {
    observation_.Begin(tap_, request_);
    observation_.Propagate(&request_);
    observation_.OnTry("10.0.0.7:8001");
    Call call = bandit::testing::FullCall();
    call.code = code;
    call.traced = call.logged = call.has_trace = call.has_parent = false;
    observation_.Finish(call);
    observation_.Reset();
  }

  struct Taken {
    CallFacts facts;
    std::string endpoint;
  };
  std::vector<Taken> Drain() {
    std::vector<Taken> taken;
    tap_.Drain(Tap::kCapacity, [&](const Call& call) {
      taken.push_back({call, std::string(call.endpoint)});
    });
    return taken;
  }

  std::string Sent(std::string_view name) {
    return std::string(request_.Find(name));
  }

  Tally tally_;
  Tap tap_{7, [] { return int64_t{1234}; }, &tally_, /*capacity=*/16};
  http2::HeaderBlock request_;
  Observation observation_;
};

TEST_F(ObservationTest, ASampledCallersTraceGoesOnUnderTheRoutersSpan) {
  Configure(0, std::nullopt);
  AddField("traceparent", kSampled);
  AddField("tracestate", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  Run();
  const auto sent = ParseTraceParent(Sent("traceparent"));
  ASSERT_TRUE(sent.has_value());
  const TraceParent caller = *ParseTraceParent(kSampled);
  EXPECT_EQ(sent->trace, caller.trace);
  EXPECT_NE(sent->span, caller.span);
  EXPECT_TRUE(sent->sampled());
  EXPECT_EQ(Sent("tracestate"), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");

  const auto taken = Drain();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_TRUE(taken[0].facts.traced);
  EXPECT_FALSE(taken[0].facts.logged);
  EXPECT_TRUE(taken[0].facts.has_parent);
  EXPECT_EQ(taken[0].facts.trace, *sent);
  EXPECT_EQ(taken[0].facts.parent, caller.span);
  EXPECT_EQ(taken[0].facts.end_unix_ns, 1234);
  EXPECT_EQ(taken[0].endpoint, "10.0.0.7:8001");
}

TEST_F(ObservationTest, ATraceThatNobodySampledPassesAsItCame) {
  Configure(0, std::nullopt);
  AddField("traceparent", kNotSampled);
  AddField("tracestate", "a=b");
  Run();
  EXPECT_EQ(Sent("traceparent"), kNotSampled);
  EXPECT_EQ(Sent("tracestate"), "a=b");
  EXPECT_TRUE(Drain().empty());
}

TEST_F(ObservationTest, ChanceMaySampleItAndSaysSo) {
  Configure(1, std::nullopt);
  AddField("traceparent", kNotSampled);
  Run();
  const auto sent = ParseTraceParent(Sent("traceparent"));
  ASSERT_TRUE(sent.has_value());
  EXPECT_TRUE(sent->sampled());
  EXPECT_EQ(sent->trace, ParseTraceParent(kNotSampled)->trace);
  ASSERT_EQ(Drain().size(), 1u);
}

TEST_F(ObservationTest, WithoutATraceparentATraceBeginsHere) {
  Configure(1, std::nullopt);
  Run();
  const auto sent = ParseTraceParent(Sent("traceparent"));
  ASSERT_TRUE(sent.has_value());
  EXPECT_TRUE(sent->sampled());
  const auto taken = Drain();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_FALSE(taken[0].facts.has_parent);
  EXPECT_EQ(taken[0].facts.trace, *sent);
}

// "If the vendor failed to parse traceparent, it MUST NOT attempt to parse
// tracestate": both are replaced.
TEST_F(ObservationTest, AMalformedTraceparentRestartsTheTrace) {
  Configure(1, std::nullopt);
  AddField("traceparent", kMalformed);
  AddField("tracestate", "a=b");
  Run();
  const auto sent = ParseTraceParent(Sent("traceparent"));
  ASSERT_TRUE(sent.has_value());
  EXPECT_NE(sent->trace, ParseTraceParent(kSampled)->trace);
  EXPECT_EQ(request_.Find("tracestate").data(), nullptr);
}

TEST_F(ObservationTest, OfTwoTraceparentsNeitherCounts) {
  Configure(1, std::nullopt);
  AddField("traceparent", kSampled);
  AddField("traceparent", kSampled);
  Run();
  size_t fields = 0;
  for (const http2::Header& header : request_.view()) {
    fields += header.name == "traceparent";
  }
  EXPECT_EQ(fields, 1u);
  EXPECT_NE(ParseTraceParent(Sent("traceparent"))->trace,
            ParseTraceParent(kSampled)->trace);
}

TEST_F(ObservationTest, AMalformedTraceparentIsNotObeyed) {
  Configure(0, std::nullopt);
  AddField("traceparent", kMalformed);
  Run();
  EXPECT_EQ(Sent("traceparent"), kMalformed);
  EXPECT_TRUE(Drain().empty());
}

TEST_F(ObservationTest, WithTracingOffTheCallersTraceIsOnlyNoted) {
  Configure(std::nullopt, 1);
  AddField("traceparent", kSampled);
  Run();
  EXPECT_EQ(Sent("traceparent"), kSampled);
  const auto taken = Drain();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_FALSE(taken[0].facts.traced);
  EXPECT_TRUE(taken[0].facts.logged);
  EXPECT_TRUE(taken[0].facts.has_trace);
  EXPECT_EQ(taken[0].facts.trace, *ParseTraceParent(kSampled));
}

TEST_F(ObservationTest, FailuresAreLoggedWhateverTheShare) {
  Configure(std::nullopt, 0);
  Run(/*code=*/0);
  EXPECT_TRUE(Drain().empty());
  Run(/*code=*/14);
  EXPECT_EQ(Drain().size(), 1u);
}

TEST_F(ObservationTest, AFailureIsAGrpcStatusOrAnHttpErrorOrNoAnswer) {
  CallFacts call;
  call.grpc = true;
  EXPECT_FALSE(call.failed());
  call.code = 1;
  EXPECT_TRUE(call.failed());
  call.grpc = false;
  EXPECT_FALSE((call.code = 204, call.failed()));
  EXPECT_TRUE((call.code = 400, call.failed()));
  EXPECT_TRUE((call.code = 1, call.failed()));  // Cancelled before a status.
  EXPECT_TRUE((call.code = 0, call.failed()));
}

// 1,000 draws of 0.3: the standard deviation is 14.5, so 6 of them are 87.
TEST_F(ObservationTest, SharesAreKept) {
  Configure(0.3, 0.3);
  size_t traced = 0;
  size_t logged = 0;
  for (int i = 0; i < 1000; ++i) {
    request_.Clear();
    Run();
    for (const Taken& taken : Drain()) {
      traced += taken.facts.traced;
      logged += taken.facts.logged;
    }
  }
  EXPECT_NEAR(static_cast<double>(traced), 300, 87);
  EXPECT_NEAR(static_cast<double>(logged), 300, 87);
}

TEST_F(ObservationTest, ARetryCarriesTheSameSpanOnce) {
  Configure(1, std::nullopt);
  observation_.Begin(tap_, request_);
  observation_.Propagate(&request_);
  const std::string first = Sent("traceparent");
  observation_.Propagate(&request_);
  EXPECT_EQ(Sent("traceparent"), first);
  EXPECT_EQ(request_.view().size(), 1u);
}

TEST_F(ObservationTest, WhatDoesNotFitIsDroppedAndCounted) {
  Configure(1, 1);
  for (int i = 0; i < 20; ++i) {
    request_.Clear();
    Run();
  }
  EXPECT_EQ(tally_.spans.dropped.value(), 4u);
  EXPECT_EQ(tally_.lines.dropped.value(), 4u);
  EXPECT_EQ(Drain().size(), 16u);
}

TEST_F(ObservationTest, OffIsOff) {
  EXPECT_FALSE(tap_.on());
  Configure(0, std::nullopt);
  EXPECT_TRUE(tap_.on());
  Configure(std::nullopt, std::nullopt);
  EXPECT_FALSE(tap_.on());
}

}  // namespace
}  // namespace bandit::observe
