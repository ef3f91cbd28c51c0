// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/token.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Decision Example() {
  return {.experiment = 0x01020304,
          .epoch = 300,
          .arm = 3,
          .propensity = 0.1234567890123456789,
          .time_ms = 1700000000123,
          .id = 0x1122334455667788,
          .unit = 0x99aabbccddeeff00,
          .features = {1, 0, 1, 2.5F, -7}};
}

std::string Sign(const TokenSigner& signer, const Decision& decision) {
  std::string token;
  signer.Sign(decision, &token);
  return token;
}

TEST(TokenTest, CarriesADecisionThereAndBack) {
  const TokenSigner signer("secret");
  const auto verified = signer.Verify(Sign(signer, Example()));
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(*verified, Example());
}

// A router of an earlier version takes such a token for one of arm 64 or more,
// which it refuses; all others are as they were.
TEST(TokenTest, CarriesSegmentsAndTheCovariateWhereThereAreAny) {
  const TokenSigner signer("secret");
  const size_t plain = Sign(signer, Example()).size();
  Decision decision = Example();
  decision.segments = 5;
  decision.covariate = -0.5F;
  const std::string token = Sign(signer, decision);
  // One byte and four, in base64.
  EXPECT_LE(token.size(), plain + 7);
  EXPECT_EQ(*signer.Verify(token), decision);
  decision.segments = 0;
  EXPECT_EQ(*signer.Verify(Sign(signer, decision)), decision);
  decision.segments = UINT32_MAX;
  decision.covariate = 0;
  EXPECT_EQ(*signer.Verify(Sign(signer, decision)), decision);
}

TEST(TokenTest, CarriesTheExtremesOfEveryField) {
  const TokenSigner signer("secret");
  Decision largest = Example();
  largest.experiment = largest.epoch = UINT32_MAX;
  largest.arm = 63;
  largest.propensity = 1;
  largest.time_ms = kMaxTokenTimeMs;
  largest.id = UINT64_MAX;
  largest.unit = 0;
  largest.segments = UINT32_MAX;
  largest.covariate = std::numeric_limits<float>::lowest();
  largest.features.assign(kMaxTokenFeatures,
                          std::numeric_limits<float>::lowest());
  Decision smallest;
  smallest.propensity = std::numeric_limits<double>::denorm_min();
  smallest.features = {-0.0F, std::numeric_limits<float>::denorm_min()};
  for (const Decision& decision : {largest, smallest}) {
    const std::string token = Sign(signer, decision);
    EXPECT_LE(token.size(), kMaxTokenSize);
    const auto verified = signer.Verify(token);
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_EQ(*verified, decision);
  }
  // == takes -0 for 0; the model does not have to.
  EXPECT_TRUE(std::signbit(signer.Verify(Sign(signer, smallest))->features[0]));
}

TEST(TokenTest, IsShortAndUrlSafe) {
  const TokenSigner signer("secret");
  Decision decision = Example();
  decision.epoch = 1;
  decision.features.clear();
  decision.unit = decision.id;
  EXPECT_EQ(Sign(signer, decision).size(), 62);
  decision.unit = decision.id + 1;
  EXPECT_EQ(Sign(signer, decision).size(), 72);
  // An intercept, a number and one of thirty categories.
  decision.features.assign(32, 0);
  decision.features[0] = decision.features[7] = 1;
  decision.features[1] = 0.25F;
  const std::string token = Sign(signer, decision);
  EXPECT_EQ(token.size(), 88);
  EXPECT_EQ(token.find_first_not_of(kAlphabet), std::string::npos);
}

TEST(TokenTest, ReplacesWhatTheStringHeld) {
  const TokenSigner signer("secret");
  std::string token(1000, 'x');
  signer.Sign(Example(), &token);
  EXPECT_EQ(token, Sign(signer, Example()));
}

// The same decision under two keys; the second does not open the first's.
TEST(TokenTest, AnotherKeyIsRefused) {
  const TokenSigner signer("secret"), other("secret2");
  const std::string token = Sign(signer, Example());
  EXPECT_NE(token, Sign(other, Example()));
  const auto verified = other.Verify(token);
  EXPECT_EQ(verified.status().code(), absl::StatusCode::kInvalidArgument);
}

// Longer than BLAKE2b's key limit of 64 bytes, and different only beyond it.
TEST(TokenTest, EveryByteOfALongSecretCounts) {
  const std::string secret(200, 's');
  const TokenSigner signer(secret + "a"), other(secret + "b");
  EXPECT_TRUE(signer.Verify(Sign(signer, Example())).ok());
  EXPECT_FALSE(other.Verify(Sign(signer, Example())).ok());
}

TEST(TokenTest, EveryChangedCharacterIsRefused) {
  const TokenSigner signer("secret");
  const std::string token = Sign(signer, Example());
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char c : kAlphabet) {
      if (c == token[i]) continue;
      std::string changed = token;
      changed[i] = c;
      EXPECT_FALSE(signer.Verify(changed).ok()) << i << " " << c;
    }
  }
}

TEST(TokenTest, EveryPrefixAndEveryAdditionIsRefused) {
  const TokenSigner signer("secret");
  const std::string token = Sign(signer, Example());
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(signer.Verify(token.substr(0, size)).ok()) << size;
  }
  for (std::string_view more : {"A", "AA", "AAA", "AAAA", "=", " ", "\n"}) {
    EXPECT_FALSE(signer.Verify(token + std::string(more)).ok()) << more;
    EXPECT_FALSE(signer.Verify(std::string(more) + token).ok()) << more;
  }
  EXPECT_FALSE(signer.Verify(token + token).ok());
}

TEST(TokenTest, ALongStringIsRefusedUnread) {
  const TokenSigner signer("secret");
  EXPECT_FALSE(signer.Verify(std::string(1 << 20, 'A')).ok());
}

TEST(TokenTest, SaysWhatIsWrong) {
  const TokenSigner signer("secret");
  const auto why = [&](std::string_view token) {
    return std::string(signer.Verify(token).status().message());
  };
  EXPECT_NE(why("no token!").find("not base64url"), std::string::npos);
  EXPECT_NE(why("").find("too short"), std::string::npos);
  EXPECT_NE(why(std::string(60, 'B')).find("version"), std::string::npos);
  EXPECT_NE(why("AQ" + std::string(60, 'A')).find("key"), std::string::npos);
}

// Seeded: random decisions, each of which has a token of its own.
TEST(TokenTest, RandomDecisionsSurvive) {
  std::mt19937_64 random(7);
  const TokenSigner signer("secret");
  for (int i = 0; i < 2000; ++i) {
    Decision decision{
        .experiment = static_cast<uint32_t>(random()),
        .epoch = static_cast<uint32_t>(random() >> (32 + random() % 32)),
        .arm = static_cast<uint32_t>(random() % 64),
        .propensity = (static_cast<double>(random() >> 11) + 1) * 0x1p-53,
        .time_ms = static_cast<int64_t>(random() >> 16),
        .id = random(),
        .unit = random(),
        .features = {}};
    if (i % 2 == 0) decision.unit = decision.id;
    for (size_t f = random() % 40; f > 0; --f) {
      decision.features.push_back(random() % 2
                                      ? static_cast<float>(random() % 2)
                                      : static_cast<float>(random()) * 1e-15F);
    }
    const auto verified = signer.Verify(Sign(signer, decision));
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_EQ(*verified, decision);
  }
}

}  // namespace
}  // namespace bandit::experiment
