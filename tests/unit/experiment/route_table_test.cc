// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/route_table.h"

#include <string>
#include <vector>

#include "fmt/format.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

constexpr char kInfer[] = "/inference.GRPCInferenceService/ModelInfer";

RouteTable Table(const std::string& text) {
  v1::RouterConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config));
  return RouteTable(config);
}

using Headers = std::vector<http2::Header>;

Headers Request(std::string_view path, Headers more = {}) {
  Headers headers = {{":method", "POST"},
                     {":path", path},
                     {":authority", "models.example:8080"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

constexpr int kNone = -1;
constexpr int kNeedsModel = -2;

int Match(const RouteTable& table, const Headers& headers,
          std::optional<std::string_view> model = std::nullopt) {
  const RouteTable::Result result = table.Match(headers, model);
  if (result.needs_model) {
    EXPECT_FALSE(result.experiment.has_value());
    return kNeedsModel;
  }
  return result.experiment ? static_cast<int>(*result.experiment) : kNone;
}

TEST(RouteTableTest, AnEmptyTableTakesNothing) {
  EXPECT_EQ(Match(RouteTable(), Request(kInfer)), kNone);
  EXPECT_EQ(Match(RouteTable(), {}), kNone);
}

TEST(RouteTableTest, MatchesServiceAndMethod) {
  const RouteTable table = Table(R"(
      experiments { match { service: 'a.B' method: 'C' } }
      experiments { match { service: 'a.B' } })");
  EXPECT_EQ(Match(table, Request("/a.B/C")), 0);
  EXPECT_EQ(Match(table, Request("/a.B/D")), 1);
  for (std::string_view path :
       {"/a.B", "/a.BB/C", "/a/C", "a.BC", "/", "", "/x/a.B/C", "//", "/C"}) {
    EXPECT_EQ(Match(table, Request(path)), kNone) << path;
  }
  EXPECT_EQ(Match(table, {{":method", "POST"}}), kNone);
}

// Rules of every generality, in an order that the index must not lose.
TEST(RouteTableTest, TheFirstRuleInConfigOrderWins) {
  const std::string service = "experiments { match { service: 'a.B' } }";
  const std::string method =
      "experiments { match { service: 'a.B' method: 'C' } }";
  const std::string any =
      "experiments { match { metadata { key: 'x-k' value: 'v' } } }";
  const Headers request = Request("/a.B/C", {{"x-k", "v"}});
  EXPECT_EQ(Match(Table(service + method + any), request), 0);
  EXPECT_EQ(Match(Table(any + method + service), request), 0);
  EXPECT_EQ(Match(Table(method + any + service), request), 0);
  EXPECT_EQ(Match(Table(any + method + service), Request("/a.B/C")), 1);
  EXPECT_EQ(Match(Table(any + method + service), Request("/a.B/D")), 2);
  EXPECT_EQ(
      Match(Table(method + any + service), Request("/x.Y/Z", {{"x-k", "v"}})),
      1);
  EXPECT_EQ(Match(Table(method + any + service), Request("/x.Y/Z")), kNone);
}

TEST(RouteTableTest, AnyOfAnExperimentsMatchesTakesTheRequest) {
  const RouteTable table = Table(R"(
      experiments { match { service: 'a.B' } match { service: 'c.D' } })");
  EXPECT_EQ(Match(table, Request("/a.B/X")), 0);
  EXPECT_EQ(Match(table, Request("/c.D/X")), 0);
}

TEST(RouteTableTest, AMethodWithoutItsServiceMatchesAnyService) {
  const RouteTable table = Table(R"(
      experiments { match { method: 'C' } }
      experiments { match { service: 'a.B' method: 'D' } })");
  EXPECT_EQ(Match(table, Request("/a.B/C")), 0);
  EXPECT_EQ(Match(table, Request("/x.Y/C")), 0);
  EXPECT_EQ(Match(table, Request("/a.B/D")), 1);
  EXPECT_EQ(Match(table, Request("/x.Y/D")), kNone);
}

TEST(RouteTableTest, TheAuthoritysPortAndCaseDoNotCount) {
  const RouteTable table = Table(
      "experiments { match { authority: 'Models.example' } }"
      "experiments { match { authority: '[2001:db8::1]' } }");
  const auto match = [&](std::string_view authority) {
    return Match(table, {{":path", "/a/b"}, {":authority", authority}});
  };
  for (std::string_view authority :
       {"models.example", "models.example:1", "MODELS.EXAMPLE:65535"}) {
    EXPECT_EQ(match(authority), 0) << authority;
  }
  EXPECT_EQ(match("[2001:DB8::1]:80"), 1);
  EXPECT_EQ(match("[2001:db8::1]"), 1);
  for (std::string_view authority :
       {"", ":", "models.example.", "xmodels.example", "models", "[", "[]",
        "2001:db8::", "[2001:db8::1"}) {
    EXPECT_EQ(match(authority), kNone) << authority;
  }
}

TEST(RouteTableTest, HostStandsInForAnAbsentAuthority) {
  const RouteTable table =
      Table("experiments { match { authority: 'models.example' } }");
  EXPECT_EQ(Match(table, {{":path", "/a/b"}, {"host", "models.example:80"}}),
            0);
  EXPECT_EQ(Match(table, {{":path", "/a/b"}}), kNone);
}

TEST(RouteTableTest, AllMetadataMustMatchAndAnyOfItsValuesMay) {
  const RouteTable table = Table(R"(
      experiments { match { metadata { key: 'x-a' value: '1' }
                            metadata { key: 'X-B' value: '' } } })");
  EXPECT_EQ(Match(table, Request("/a/b", {{"x-a", "1"}, {"x-b", ""}})), 0);
  EXPECT_EQ(
      Match(table,
            Request("/a/b",
                    {{"x-b", "2"}, {"x-a", "0"}, {"x-a", "1"}, {"x-b", ""}})),
      0);
  EXPECT_EQ(Match(table, Request("/a/b", {{"x-a", "1"}})), kNone);
  EXPECT_EQ(Match(table, Request("/a/b", {{"x-a", "1 "}, {"x-b", ""}})), kNone);
}

constexpr char kModels[] = R"(
    experiments { match { service: 'inference.GRPCInferenceService'
                          method: 'ModelInfer' model: 'a' } }
    experiments { match { model: 'b' } }
    experiments { match { service: 'inference.GRPCInferenceService' } })";

TEST(RouteTableTest, AsksForTheModelOnlyWhenItDecides) {
  const RouteTable table = Table(kModels);
  EXPECT_EQ(Match(table, Request(kInfer)), kNeedsModel);
  EXPECT_EQ(Match(table, Request(kInfer), "a"), 0);
  EXPECT_EQ(Match(table, Request(kInfer), "b"), 1);
  EXPECT_EQ(Match(table, Request(kInfer), "c"), 2);
  // A message without a name, or no message.
  EXPECT_EQ(Match(table, Request(kInfer), ""), 2);
}

// An earlier rule that takes the request makes the model's irrelevant; a rule
// that cannot take it for another reason does not ask.
TEST(RouteTableTest, DoesNotAskForWhatCannotMatter) {
  const RouteTable table = Table(R"(
      experiments { match { metadata { key: 'x-k' value: 'v' } } }
      experiments { match { model: 'a'
                            metadata { key: 'x-m' value: 'v' } } })");
  EXPECT_EQ(Match(table, Request(kInfer, {{"x-k", "v"}})), 0);
  EXPECT_EQ(Match(table, Request(kInfer)), kNone);
  EXPECT_EQ(Match(table, Request(kInfer, {{"x-m", "v"}})), kNeedsModel);
}

// Nothing is known of other messages, so no rule for a model takes them.
TEST(RouteTableTest, OtherMessagesHaveNoModel) {
  const RouteTable table = Table(kModels);
  EXPECT_EQ(Match(table, Request("/a.B/C")), kNone);
  EXPECT_EQ(Match(table, Request("/a.B/C"), "b"), kNone);
  EXPECT_EQ(Match(table, Request("/inference.GRPCInferenceService/ServerLive")),
            2);
  EXPECT_EQ(
      Match(table, Request("/tensorflow.serving.PredictionService/Predict")),
      kNeedsModel);
  EXPECT_EQ(Match(table,
                  Request("/tensorflow.serving.PredictionService/"
                          "Predict"),
                  "b"),
            1);
}

// The index against the plain reading of the rules, over hundreds of them.
TEST(RouteTableTest, TheIndexAgreesWithAScanOfAllRules) {
  v1::RouterConfig config;
  const std::vector<std::string> services = {"", "a.A", "b.B", "c.C"};
  const std::vector<std::string> methods = {"", "M", "N"};
  const std::vector<std::string> keys = {"", "x", "y"};
  for (int i = 0; i < 300; ++i) {
    v1::MatchConfig& match = *config.add_experiments()->add_match();
    match.set_service(services[i * 7 % 11 % 4]);
    match.set_method(methods[i * 5 % 13 % 3]);
    const std::string& key = keys[i * 3 % 7 % 3];
    if (!key.empty()) {
      (*match.mutable_metadata())[key] = fmt::format("{}", i % 40);
    }
    // Leave the later rules something to take.
    if (key.empty()) match.set_authority(fmt::format("h{}", i % 50));
  }
  const RouteTable table(config);
  int taken = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string service = services[i % 4], method = methods[i / 4 % 3];
    const std::string path = "/" + service + "/" + method;
    const std::string x = fmt::format("{}", i * 31 % 60);
    const std::string host = fmt::format("h{}:80", i % 60);
    const Headers headers = {{":path", path}, {"x", x}, {":authority", host}};
    int expected = kNone;
    for (int e = 0; e < config.experiments_size() && expected < 0; ++e) {
      const v1::MatchConfig& match = config.experiments(e).match(0);
      const auto& metadata = match.metadata();
      const bool matches =
          (match.service().empty() || match.service() == service) &&
          (match.method().empty() || match.method() == method) &&
          (match.authority().empty() || match.authority() + ":80" == host) &&
          (!metadata.contains("x") || metadata.at("x") == x) &&
          !metadata.contains("y");
      if (matches) expected = e;
    }
    EXPECT_EQ(Match(table, headers), expected) << path << " " << x;
    taken += expected >= 0;
  }
  EXPECT_GT(taken, 500);
  EXPECT_LT(taken, 4500);
}

v1::RouterConfig Layered() {
  v1::RouterConfig config;
  for (const char* name : {"one", "two", "over", "three"}) {
    v1::ExperimentConfig* e = config.add_experiments();
    e->set_name(name);
    v1::MatchConfig* match = e->add_match();
    match->set_service("s");
    if (e->name() == "three") match->set_model("m");
    if (e->name() == "over") {
      e->set_overlay(true);
      e->add_match()->set_service("s");  // Twice, to be found once.
    }
  }
  return config;
}

const std::vector<http2::Header> kPlain = {{":path", "/s/m"}};

TEST(RouteTableTest, ARequestGoesOnToTheFirstExperimentThatTakesItsUnit) {
  const RouteTable table(Layered());
  const auto match = [&](std::vector<size_t> takers) {
    return table.Match(kPlain, "", [&](size_t e) {
      return std::find(takers.begin(), takers.end(), e) != takers.end();
    });
  };
  EXPECT_EQ(match({0, 1}).experiment, 0u);
  EXPECT_EQ(match({1}).experiment, 1u);
  EXPECT_EQ(match({1}).beside, std::nullopt);
  EXPECT_EQ(match({}).experiment, std::nullopt);
  EXPECT_EQ(match({}).beside, 0u);
}

TEST(RouteTableTest, OverlaysHaveATableOfTheirOwn) {
  const RouteTable table(Layered()), overlays(Layered(), /*overlays=*/true);
  EXPECT_NE(table.Match(kPlain, "").experiment, 2u);
  std::vector<size_t> found = {7};
  EXPECT_TRUE(overlays.MatchAll(kPlain, std::nullopt, &found));
  EXPECT_EQ(found, std::vector<size_t>{2});
  const std::vector<http2::Header> other = {{":path", "/t/m"}};
  EXPECT_TRUE(overlays.MatchAll(other, std::nullopt, &found));
  EXPECT_TRUE(found.empty());
  EXPECT_TRUE(RouteTable(v1::RouterConfig(), true).empty());
}

TEST(RouteTableTest, AnOverlayMayHaveToAwaitTheModelName) {
  v1::RouterConfig config = Layered();
  for (auto& match : *config.mutable_experiments(2)->mutable_match()) {
    match.set_model("m");
    match.set_service("inference.GRPCInferenceService");
  }
  const RouteTable overlays(config, true);
  const std::vector<http2::Header> infer = {
      {":path", "/inference.GRPCInferenceService/ModelInfer"}};
  std::vector<size_t> found;
  EXPECT_FALSE(overlays.MatchAll(infer, std::nullopt, &found));
  EXPECT_TRUE(overlays.MatchAll(infer, "m", &found));
  EXPECT_EQ(found, std::vector<size_t>{2});
  EXPECT_TRUE(overlays.MatchAll(infer, "n", &found));
  EXPECT_TRUE(found.empty());
}

TEST(RouteTableTest, AllConditionsOfARuleMustHold) {
  v1::RouterConfig config = Layered();
  v1::MatchConfig* match = config.mutable_experiments(0)->mutable_match(0);
  v1::ConditionConfig* country = match->add_where();
  country->set_metadata("x-country");
  country->add_in("de");
  v1::ConditionConfig* age = match->add_where();
  age->set_metadata("x-age");
  age->set_min(18);
  const RouteTable table(config);
  const auto taken = [&](const char* land, const char* years) {
    const std::vector<http2::Header> headers = {
        {":path", "/s/m"}, {"x-country", land}, {"x-age", years}};
    return table.Match(headers, "").experiment;
  };
  EXPECT_EQ(taken("de", "18"), 0u);
  EXPECT_EQ(taken("de", "17"), 1u);
  EXPECT_EQ(taken("fr", "18"), 1u);
}

// Whatever a request is, what is told of the rules is what Match does.
TEST(RouteTableTest, ExplainsEachRuleByTheFirstCheckThatFails) {
  const RouteTable table = Table(R"(
    experiments { match { service: "a.B" method: "C" } }
    experiments { match { method: "Call" }
                  match { authority: "other.example" } }
    experiments { match { service: "inference.GRPCInferenceService"
                          metadata { key: "x-tier" value: "gold" } } }
    experiments { match { where { metadata: "x-age" min: 18 max: 99 }
                          where { metadata: "x-bot" present: false } } }
    experiments { match { model: "ranker" } })");
  const auto mismatches = [&](const Headers& headers, std::string_view model) {
    std::vector<std::string> told;
    std::optional<size_t> first;
    for (const RouteTable::Finding& finding : table.Explain(headers, model)) {
      told.push_back(fmt::format("{}.{} {}", finding.experiment, finding.rule,
                                 finding.mismatch));
      if (finding.mismatch.empty() && !first) first = finding.experiment;
    }
    EXPECT_EQ(table.Match(headers, model).experiment, first);
    return told;
  };
  EXPECT_EQ(mismatches(Request(kInfer), "old"),
            (std::vector<std::string>{
                "0.0 the service is not a.B", "1.0 the method is not Call",
                "1.1 the authority is not other.example",
                "2.0 there is no x-tier, which must be gold",
                "3.0 there is no x-age, which must be at least 18 and at most "
                "99",
                "4.0 the model is old, not ranker"}));
  EXPECT_EQ(
      mismatches(
          Request(kInfer, {{"x-tier", "tin"}, {"x-age", "20"}, {"x-bot", "1"}}),
          "ranker"),
      (std::vector<std::string>{"0.0 the service is not a.B",
                                "1.0 the method is not Call",
                                "1.1 the authority is not other.example",
                                "2.0 x-tier is tin, not gold",
                                "3.0 x-bot is 1, and must be absent", "4.0 "}));
  EXPECT_EQ(
      mismatches(Request("/a.B/D", {{"x-age", "20"}}), ""),
      (std::vector<std::string>{
          "0.0 the method is not C", "1.0 the method is not Call",
          "1.1 the authority is not other.example",
          "2.0 the service is not inference.GRPCInferenceService", "3.0 ",
          "4.0 the rule is for the model ranker, and messages of this method "
          "have no model name"}));
}

}  // namespace
}  // namespace bandit::experiment
