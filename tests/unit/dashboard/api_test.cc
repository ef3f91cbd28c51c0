// SPDX-License-Identifier: Apache-2.0
// The JSON API over a real control server and learner.
#include "router/dashboard/api.h"

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "router/control/control_server.h"
#include "tests/unit/control/control_fixture.h"

namespace bandit::dashboard {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ApiTest : public bandit::testing::ControlFixture {
 protected:
  void StartApi(const control::Access::Options& access = {}) {
    auto started = control::ControlServer::Start({.address = "127.0.0.1:0",
                                                  .internal_address = "",
                                                  .version = "1.2.3",
                                                  .started = clock_.Now(),
                                                  .signer = &signer_,
                                                  .learner = learner_.get(),
                                                  .access = access});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    StartLearner();
    worker_->AwaitTick();
    api_ = std::make_unique<Api>(
        Api::Options{.admin = server_->InProcessAdmin(),
                     .access = &server_->access(),
                     .history = &history_,
                     .events = &events_,
                     .audited = [this] { return learner_->view()->audited; },
                     .version = "1.2.3",
                     // Nothing is kept for longer than a moment.
                     .now = [this] { return now_ += absl::Seconds(10); }});
  }

  control::HttpAnswer Get(const std::string& path,
                          std::map<std::string, std::string> query = {},
                          const std::string& authorization = "") {
    control::HttpRequest request{.method = "GET", .path = "/api/v1/" + path};
    request.query = std::move(query);
    request.authorization = authorization;
    return api_->Answer(request);
  }
  control::HttpAnswer Act(const std::string& body,
                          const std::string& authorization = "",
                          const std::string& type = "application/json") {
    control::HttpRequest request{.method = "POST", .path = kActPath};
    request.body = body;
    request.authorization = authorization;
    request.content_type = type;
    return api_->Answer(request);
  }
  std::string State() {
    return std::string(Name(learner_->view()->experiments[0].life.life.state));
  }

  absl::Time now_ = absl::UnixEpoch();
  History history_{absl::Seconds(2)};
  Events events_;
  std::unique_ptr<control::ControlServer> server_;
  std::unique_ptr<Api> api_;
};

constexpr char kPause[] =
    R"({"act": "pause", "experiment": "ranker", "why": "lunch"})";

TEST_F(ApiTest, StatusIsAdminsAsJson) {
  StartApi();
  const auto answer = Get("status");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.type, "application/json");
  EXPECT_THAT(answer.body, AllOf(HasSubstr(R"("version":"1.2.3")"),
                                 HasSubstr(R"("reward_metric":"rating")"),
                                 HasSubstr(R"("state":"active")")));
  const auto missing = Get("status", {{"experiment", "nobody"}});
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(missing.body, AllOf(HasSubstr("NOT_FOUND"), HasSubstr("nobody")));
}

TEST_F(ApiTest, ReportIsAdminsAsJson) {
  StartApi();
  EXPECT_EQ(Get("report").status, 400);
  EXPECT_EQ(Get("report", {{"experiment", "nobody"}}).status, 404);
  const auto answer = Get("report", {{"experiment", "ranker"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("action":"KEEP_GOING")"));
}

TEST_F(ApiTest, HistoryIsWhatWasKeptSince) {
  StartApi();
  EXPECT_EQ(Get("history", {{"experiment", "ranker"}}).status, 404);
  history_.Add({{.experiment = "ranker",
                 .arms = {"control"},
                 .metrics = {},
                 .point = {.time = absl::FromUnixSeconds(1'700'000'000),
                           .epoch = 7,
                           .arms = {{}},
                           .metrics = {}}}});
  EXPECT_THAT(Get("history", {{"experiment", "ranker"}}).body,
              HasSubstr(R"("epoch":7)"));
  EXPECT_THAT(Get("history",
                  {{"experiment", "ranker"}, {"since", "2023-11-14T22:13:20Z"}})
                  .body,
              Not(HasSubstr("epoch")));
  const auto bad =
      Get("history", {{"experiment", "ranker"}, {"since", "yesterday"}});
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr("yesterday"));
}

TEST_F(ApiTest, WithoutTokensInTheConfigActsAreOff) {
  StartApi();
  const auto answer = Act(kPause, "Bearer anything");
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("control_token"));
  EXPECT_EQ(State(), "running");
  EXPECT_THAT(Get("session").body,
              AllOf(HasSubstr(R"("acts":false)"), HasSubstr(R"("who":"")")));
}

TEST_F(ApiTest, AnActNeedsAToken) {
  StartApi({.token = "s3cret", .identities = {{"ada", "adas"}}});
  EXPECT_EQ(Act(kPause).status, 401);
  EXPECT_EQ(Act(kPause, "Bearer wrong").status, 401);
  EXPECT_EQ(State(), "running");
  EXPECT_THAT(Get("session", {}, "Bearer wrong").body,
              AllOf(HasSubstr(R"("acts":true)"), HasSubstr(R"("who":"")")));
  EXPECT_THAT(Get("session", {}, "Bearer s3cret").body,
              HasSubstr(R"("who":"operator")"));

  const auto answer = Act(kPause, "Bearer adas");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, AllOf(HasSubstr(R"("state":"paused")"),
                                 HasSubstr(R"("who":"ada")")));
  EXPECT_EQ(State(), "paused");
  // The log has it, with who has shown that he is.
  EXPECT_THAT(Get("events").body,
              AllOf(HasSubstr(R"("what":"pause")"), HasSubstr("lunch"),
                    HasSubstr(R"("who":"ada","proven":true)")));
  // The same rules as by gRPC.
  EXPECT_EQ(Act(kPause, "Bearer adas").status, 409);
}

TEST_F(ApiTest, EveryActIsPossible) {
  StartApi({.token = "t"});
  const auto act = [this](const std::string& name) {
    const auto answer =
        Act(fmt::format(R"({{"act": "{}", "experiment": )"
                        R"("ranker", "arm": "{}"}})",
                        name, name == "promote" ? "candidate" : ""),
            "Bearer t");
    return fmt::format("{} {}", answer.status, State());
  };
  EXPECT_EQ(act("pause"), "200 paused");
  EXPECT_EQ(act("resume"), "200 running");
  EXPECT_EQ(act("promote"), "200 concluded");
  EXPECT_EQ(act("resume"), "200 running");
  EXPECT_EQ(act("roll_back"), "200 rolled_back");
  EXPECT_EQ(act("resume"), "200 running");
  EXPECT_EQ(act("conclude"), "200 concluded");
  EXPECT_EQ(act("start"), "409 concluded");
  EXPECT_EQ(act("approve"), "409 concluded");
  EXPECT_EQ(act("reinstate"), "200 concluded");
}

TEST_F(ApiTest, WhatIsNoActSaysWhatIs) {
  StartApi({.token = "t"});
  const auto told = [this](const std::string& body) {
    const auto answer = Act(body, "Bearer t");
    return fmt::format("{} {}", answer.status, answer.body);
  };
  EXPECT_THAT(told("{"), AllOf(HasSubstr("400 "), HasSubstr("no act")));
  EXPECT_THAT(told(R"({"acts": "pause"})"), HasSubstr("400 "));
  EXPECT_THAT(told(R"({"act": "explode", "experiment": "ranker"})"),
              AllOf(HasSubstr("400 "), HasSubstr("reinstate")));
  EXPECT_THAT(told(R"({"act": "pause", "experiment": "nobody"})"),
              HasSubstr("404 "));
  EXPECT_THAT(told(fmt::format(
                  R"({{"act": "pause", "experiment": "ranker", "why": "{}"}})",
                  std::string(801, 'x'))),
              HasSubstr("400 "));
  // A form of another page cannot send JSON.
  EXPECT_EQ(Act(kPause, "Bearer t", "text/plain").status, 415);
  EXPECT_EQ(State(), "running");
}

TEST_F(ApiTest, ElsewhereIsNothing) {
  StartApi();
  EXPECT_EQ(Get("nothing").status, 404);
  EXPECT_EQ(Get("act").status, 405);
}

}  // namespace
}  // namespace bandit::dashboard
