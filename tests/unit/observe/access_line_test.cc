// SPDX-License-Identifier: Apache-2.0
#include "router/observe/access_line.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "router/observe/code_name.h"
#include "tests/unit/observe/calls.h"

namespace bandit::observe {
namespace {

using ::bandit::testing::FullCall;

std::string Line(const Call& call) {
  std::string line;
  AppendAccessLine(call, &line);
  return line;
}

// Throws, which fails the test, if it is no JSON.
nlohmann::json Parsed(const Call& call) {
  return nlohmann::json::parse(Line(call));
}

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

TEST(AccessLineTest, SaysAllThatIsKnown) {
  EXPECT_EQ(Line(FullCall()),
            R"({"time":"2023-11-14T22:13:20.120956Z","duration_ms":2.500,)"
            R"("ttfb_ms":1.000,"code":"OK",)"
            R"("method":"/inference.GRPCInferenceService/ModelInfer",)"
            R"("authority":"models.example.com","peer":"127.0.0.1:40000",)"
            R"("experiment":"ranker","arm":"candidate","propensity":0.25,)"
            R"("decision":"0000000000001234","unit":"0000000000abcdef",)"
            R"("backend":"ranker-b","endpoint":"10.0.0.7:8001","retries":1,)"
            R"("bytes_in":300,"bytes_out":40,)"
            R"("trace_id":"0af7651916cd43dd8448eb211c80319c",)"
            R"("span_id":"b7ad6b7169203331"})"
            "\n");
}

TEST(AccessLineTest, WhatIsNotThereIsLeftOut) {
  const Call call;
  const nlohmann::json line = Parsed(call);
  for (const char* name :
       {"ttfb_ms", "experiment", "arm", "propensity", "decision", "unit",
        "backend", "endpoint", "trace_id", "span_id", "peer"}) {
    EXPECT_FALSE(line.contains(name)) << name;
  }
  EXPECT_EQ(line["bytes_in"], 0);
}

TEST(AccessLineTest, ATraceThatIsOnlyPassedOnHasNoSpan) {
  Call call = FullCall();
  call.traced = false;
  const nlohmann::json line = Parsed(call);
  EXPECT_EQ(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
  EXPECT_FALSE(line.contains("span_id"));
}

TEST(AccessLineTest, APlainRequestHasItsMethodAndNoQuery) {
  Call call = FullCall();
  call.grpc = false;
  call.code = 404;
  call.verb = "GET";
  call.path = "/models?token=secret";
  const nlohmann::json line = Parsed(call);
  EXPECT_EQ(line["code"], "HTTP_404");
  EXPECT_EQ(line["http_method"], "GET");
  EXPECT_EQ(line["method"], "/models");
}

TEST(AccessLineTest, WhatACallerSendsCannotBreakTheLine) {
  Call call = FullCall();
  const std::string evil = "/\"},\n{\"a\\\r\t\x01\x7F\"";
  call.path = evil;
  call.authority = "caf\xC3\xA9";
  const std::string line = Line(call);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const nlohmann::json parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["method"], evil);
  EXPECT_EQ(parsed["authority"], "caf\xC3\xA9");
}

TEST(JsonStringTest, BytesThatAreNoUtf8AreReplacedOneByOne) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(Quoted("a\xFFz"), "\"a" + r + "z\"");
  EXPECT_EQ(Quoted("\xC3"), "\"" + r + "\"");          // Cut off.
  EXPECT_EQ(Quoted("\xC0\xAF"), "\"" + r + r + "\"");  // Overlong.
  EXPECT_EQ(Quoted("\xE0\x80\xAF"), "\"" + r + r + r + "\"");
  EXPECT_EQ(Quoted("\xED\xA0\x80"), "\"" + r + r + r + "\"");  // Surrogate.
  EXPECT_EQ(Quoted("\xF4\x90\x80\x80"), "\"" + r + r + r + r + "\"");
  EXPECT_EQ(Quoted("\xE2\x82\xAC\xF0\x9F\x98\x80"),
            "\"\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

TEST(JsonStringTest, EveryPairOfBytesGivesValidJson) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const char pair[] = {static_cast<char>(a), static_cast<char>(b)};
      const std::string text = Quoted({pair, 2});
      ASSERT_TRUE(nlohmann::json::accept(text)) << a << " " << b;
    }
  }
}

TEST(RecordTest, GivesBackWhatItWasFilledWith) {
  const auto record = std::make_unique<Record>();
  record->Fill(FullCall());
  EXPECT_EQ(Line(record->View()), Line(FullCall()));
}

TEST(RecordTest, LongTextsAreCutAndTakeNoRoomFromTheNames) {
  const std::string name(128, 'n');
  const std::string longer(5000, 'x');
  Call call = FullCall();
  call.experiment = call.arm = call.backend = name;
  call.authority = longer;
  call.path = longer;
  const auto record = std::make_unique<Record>();
  record->Fill(call);
  const Call view = record->View();
  EXPECT_EQ(view.experiment, name);
  EXPECT_EQ(view.arm, name);
  EXPECT_EQ(view.backend, name);
  EXPECT_EQ(view.endpoint, call.endpoint);
  EXPECT_EQ(view.peer, call.peer);
  EXPECT_EQ(view.verb, "POST");
  EXPECT_EQ(view.authority, std::string(128, 'x'));
  EXPECT_GT(view.path.size(), 50u);
  EXPECT_LT(view.path.size(), 200u);
}

TEST(CodeNameTest, GrpcStatusesHaveNamesAndTheRestNumbers) {
  EXPECT_EQ(CodeName(0), "OK");
  EXPECT_EQ(CodeName(4), "DEADLINE_EXCEEDED");
  EXPECT_EQ(CodeName(16), "UNAUTHENTICATED");
  EXPECT_EQ(CodeName(17), "HTTP_17");
  EXPECT_EQ(CodeName(404), "HTTP_404");
}

}  // namespace
}  // namespace bandit::observe
