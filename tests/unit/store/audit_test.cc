// SPDX-License-Identifier: Apache-2.0
#include "router/store/audit.h"

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace bandit::store {
namespace {

using ::testing::HasSubstr;

AuditEntry Start() {
  return {.sequence = 1,
          .time_ms = 1700000000123,
          .who = "ann",
          .proven = true,
          .act = "start",
          .experiment = "ranker",
          .why = "go",
          .detail = "draft -> running"};
}

std::vector<AuditEntry> Chain(size_t length) {
  std::vector<AuditEntry> chain;
  std::string previous;
  for (size_t i = 0; i < length; ++i) {
    AuditEntry entry = Start();
    entry.sequence = static_cast<int64_t>(i) + 1;
    entry.hash = AuditHash(previous, entry);
    previous = entry.hash;
    chain.push_back(entry);
  }
  return chain;
}

// Frozen: tests/vectors/decision.json has more, by a second implementation.
TEST(AuditTest, EveryFieldAndTheOneBeforeCount) {
  const std::string hash = AuditHash("", Start());
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(AuditHash("", Start()), hash);
  EXPECT_NE(AuditHash(std::string(32, 'x'), Start()), hash);
  const std::function<void(AuditEntry&)> changes[] = {
      [](AuditEntry& e) { e.sequence = 2; },
      [](AuditEntry& e) { ++e.time_ms; },
      [](AuditEntry& e) { e.who = "bob"; },
      [](AuditEntry& e) { e.proven = false; },
      [](AuditEntry& e) { e.act = "stop"; },
      [](AuditEntry& e) { e.experiment = "r"; },
      [](AuditEntry& e) { e.why = ""; },
      [](AuditEntry& e) { e.detail += "."; },
      // Fields have lengths: what moves from one to the next is seen.
      [](AuditEntry& e) {
        e.who = "an";
        e.act = "nstart";
      },
  };
  for (const auto& change : changes) {
    AuditEntry entry = Start();
    change(entry);
    EXPECT_NE(AuditHash("", entry), hash);
  }
}

// The vectors are a second implementation's; see docs/hashing.md.
TEST(AuditTest, AgreesWithTheGoldenVectors) {
  const auto vectors =
      nlohmann::json::parse(std::ifstream(BANDIT_VECTORS)).at("audit");
  ASSERT_FALSE(vectors.empty());
  std::string previous;
  for (const auto& v : vectors) {
    const AuditEntry entry{.sequence = v.at("sequence"),
                           .time_ms = v.at("time_ms"),
                           .who = v.at("who"),
                           .proven = v.at("proven"),
                           .act = v.at("act"),
                           .experiment = v.at("experiment"),
                           .why = v.at("why"),
                           .detail = v.at("detail")};
    previous = AuditHash(previous, entry);
    EXPECT_EQ(absl::BytesToHexString(previous), v.at("hash")) << v;
  }
}

TEST(AuditTest, AnUntouchedChainIsVerifiedFromAnyPlace) {
  const std::vector<AuditEntry> chain = Chain(4);
  EXPECT_TRUE(VerifyAudit({}, chain).ok());
  EXPECT_TRUE(VerifyAudit({}, {}).ok());
  EXPECT_TRUE(VerifyAudit(chain[1], absl::MakeSpan(chain).subspan(2)).ok());
}

TEST(AuditTest, WhatWasChangedLeftOutOrPutInIsNamed) {
  const auto problem = [](const std::vector<AuditEntry>& chain) {
    const absl::Status status = VerifyAudit({}, chain);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    return std::string(status.message());
  };
  std::vector<AuditEntry> changed = Chain(4);
  changed[2].who = "bob";
  EXPECT_THAT(problem(changed), HasSubstr("entry 3"));

  // Hashed again by who changed it: the next one gives it away.
  changed[2].hash = AuditHash(changed[1].hash, changed[2]);
  EXPECT_THAT(problem(changed), HasSubstr("entry 4"));

  std::vector<AuditEntry> shorter = Chain(4);
  shorter.erase(shorter.begin() + 1);
  EXPECT_THAT(problem(shorter), HasSubstr("no entry 2"));

  std::vector<AuditEntry> headless = Chain(4);
  headless.erase(headless.begin());
  EXPECT_THAT(problem(headless), HasSubstr("no entry 1"));
}

}  // namespace
}  // namespace bandit::store
