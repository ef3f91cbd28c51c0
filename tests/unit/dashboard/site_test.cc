// SPDX-License-Identifier: Apache-2.0
#include "router/dashboard/site.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bandit::dashboard {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Header(const control::HttpAnswer& answer, const std::string& name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return "";
}

class SiteTest : public ::testing::Test {
 protected:
  SiteTest()
      : site_({.api = {.admin = nullptr,
                       .access = &access_,
                       .history = &history_,
                       .events = &events_,
                       .audited = [] { return 0; },
                       .version = "1",
                       .now = [] { return absl::UnixEpoch(); }},
               .hosts = {"bandit.example.com"}}) {}

  control::HttpAnswer Get(const std::string& path,
                          const std::string& host = "127.0.0.1:9090",
                          const std::string& tags = "") {
    return site_.Answer({.method = "GET",
                         .path = path,
                         .query = {},
                         .host = host,
                         .if_none_match = tags});
  }

  const control::Access access_{{}};
  History history_{absl::Seconds(2)};
  Events events_;
  Site site_;
};

TEST_F(SiteTest, ThePageIsInTheBinary) {
  const auto page = Get("/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("<!doctype html>"));
  EXPECT_EQ(Get("/index.html").body, page.body);
  EXPECT_EQ(Get("/app.js").type, "text/javascript; charset=utf-8");
  EXPECT_EQ(Get("/app.css").type, "text/css; charset=utf-8");
  EXPECT_EQ(Get("/licenses.txt").status, 200);
  EXPECT_EQ(Get("/../../etc/passwd").status, 404);
}

TEST_F(SiteTest, WhatTheClientHasIsNotSentAgain) {
  for (const char* path : {"/", "/app.js", "/api/v1/session"}) {
    const auto first = Get(path);
    const std::string tag = Header(first, "ETag");
    ASSERT_EQ(tag.size(), 18) << path;
    const auto second = Get(path, "localhost", "\"other\", " + tag);
    EXPECT_EQ(second.status, 304) << path;
    EXPECT_EQ(second.body, "");
    EXPECT_EQ(Get(path, "localhost", "\"other\"").status, 200) << path;
  }
}

TEST_F(SiteTest, EveryAnswerIsGuarded) {
  for (const char* path :
       {"/", "/nowhere", "/api/v1/session", "/api/nowhere"}) {
    const auto answer = Get(path);
    const std::string policy = Header(answer, "Content-Security-Policy");
    EXPECT_THAT(policy, HasSubstr("default-src 'none'")) << path;
    EXPECT_THAT(policy, HasSubstr("script-src 'self';")) << path;
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'")) << path;
    EXPECT_THAT(policy, Not(HasSubstr("unsafe"))) << path;
    EXPECT_EQ(Header(answer, "X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(Header(answer, "Cache-Control"), "no-cache") << path;
    // No CORS: other pages cannot read it.
    EXPECT_EQ(Header(answer, "Access-Control-Allow-Origin"), "") << path;
  }
}

TEST_F(SiteTest, AnothersNameIsRefusedAndHowToAllowItSaid) {
  for (const char* path : {"/", "/app.js", "/api/v1/session"}) {
    const auto answer = Get(path, "evil.example.org:9090");
    EXPECT_EQ(answer.status, 421) << path;
    EXPECT_THAT(answer.body, HasSubstr("admin_hosts")) << path;
    EXPECT_EQ(Get(path, "bandit.example.com").status, 200) << path;
  }
}

}  // namespace
}  // namespace bandit::dashboard
