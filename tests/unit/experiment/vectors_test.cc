// SPDX-License-Identifier: Apache-2.0
// Holds hashing, draws and tokens to tests/vectors/decision.json, which a
// second implementation wrote from the documents and clients share. A failure
// here means that units would change arms or tokens in flight be refused.
#include <sodium.h>

#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "router/experiment/assignment.h"
#include "router/experiment/plan.h"
#include "router/experiment/token.h"

namespace bandit::experiment {
namespace {

using Json = nlohmann::json;

const Json& Vectors(const char* group) {
  static const Json& vectors =
      *new Json(Json::parse(std::ifstream(BANDIT_VECTORS)));
  const Json& list = vectors.at(group);
  EXPECT_FALSE(list.empty());
  return list;
}

uint64_t Uint64(const Json& text) {
  return std::stoull(text.get<std::string>());
}

TEST(VectorsTest, HashUnit) {
  for (const Json& v : Vectors("hash_unit")) {
    EXPECT_EQ(HashUnit(static_cast<Purpose>(v.at("purpose").get<int>()),
                       v.at("salt").get<std::string>(),
                       v.at("unit").get<std::string>()),
              Uint64(v.at("hash")))
        << v;
  }
}

// The score -ln(u) / p of an arm shows through which of two arms wins: at
// p = (q, 1) the draw turns from the second arm to the first as q passes
// ln(u0) / ln(u1).
TEST(VectorsTest, RendezvousU) {
  std::map<uint64_t, std::map<std::string, double>> u;
  for (const Json& v : Vectors("rendezvous_u")) {
    u[Uint64(v.at("unit_hash"))][v.at("arm")] = v.at("u");
  }
  for (const auto& [unit_hash, arms] : u) {
    for (const auto& [first, u0] : arms) {
      for (const auto& [second, u1] : arms) {
        if (first == second) continue;
        const std::vector<Arm> pair = {
            {.name = first, .backend = 0, .model = {}},
            {.name = second, .backend = 0, .model = {}}};
        const double turn = std::log(u0) / std::log(u1);
        EXPECT_EQ(DrawSticky(pair, {turn * (1 - 1e-12), 1.0}, unit_hash), 1);
        EXPECT_EQ(DrawSticky(pair, {turn * (1 + 1e-12), 1.0}, unit_hash), 0);
      }
    }
  }
}

TEST(VectorsTest, DrawSticky) {
  for (const Json& v : Vectors("draw_sticky")) {
    std::vector<Arm> arms;
    for (const Json& name : v.at("arms")) {
      arms.push_back({.name = name, .backend = 0, .model = {}});
    }
    EXPECT_EQ(DrawSticky(arms, v.at("p").get<std::vector<double>>(),
                         Uint64(v.at("unit_hash"))),
              v.at("drawn").get<size_t>())
        << v;
  }
}

TEST(VectorsTest, ExperimentId) {
  for (const Json& v : Vectors("experiment_id")) {
    EXPECT_EQ(ExperimentId(v.at("name").get<std::string>()),
              v.at("id").get<uint32_t>());
  }
}

// The key is a member that nobody sees; its tag is seen.
TEST(VectorsTest, TokenKey) {
  for (const Json& v : Vectors("token_key")) {
    const std::string secret = v.at("secret");
    std::string token;
    TokenSigner(secret).Sign({}, &token);
    std::vector<unsigned char> bytes(token.size());
    size_t size = 0;
    ASSERT_EQ(sodium_base642bin(bytes.data(), bytes.size(), token.data(),
                                token.size(), nullptr, &size, nullptr,
                                sodium_base64_VARIANT_URLSAFE_NO_PADDING),
              0);
    std::vector<unsigned char> key(16), tag(16);
    const std::string hex = v.at("key");
    sodium_hex2bin(key.data(), 16, hex.data(), hex.size(), nullptr, nullptr,
                   nullptr);
    crypto_shorthash_siphashx24(tag.data(), bytes.data(), size - 16,
                                key.data());
    EXPECT_EQ(tag, std::vector<unsigned char>(bytes.begin() + size - 16,
                                              bytes.begin() + size));
  }
}

TEST(VectorsTest, Token) {
  for (const Json& v : Vectors("token")) {
    const Json& d = v.at("decision");
    Decision decision{.experiment = d.at("experiment"),
                      .epoch = d.at("epoch"),
                      .arm = d.at("arm"),
                      .propensity = d.at("propensity"),
                      .time_ms = d.at("time_ms"),
                      .id = Uint64(d.at("id")),
                      .unit = Uint64(d.at("unit")),
                      .features = {}};
    for (const Json& x : d.at("features")) decision.features.push_back(x);
    const TokenSigner signer(v.at("secret").get<std::string>());
    std::string token;
    signer.Sign(decision, &token);
    EXPECT_EQ(token, v.at("token")) << v;
    const auto verified = signer.Verify(v.at("token").get<std::string>());
    ASSERT_TRUE(verified.ok()) << verified.status() << v;
    EXPECT_EQ(*verified, decision) << v;
  }
}

// Genuine tags over bytes that Sign would not write.
TEST(VectorsTest, RefusedToken) {
  for (const Json& v : Vectors("refused_token")) {
    const TokenSigner signer(v.at("secret").get<std::string>());
    EXPECT_FALSE(signer.Verify(v.at("token").get<std::string>()).ok()) << v;
  }
}

}  // namespace
}  // namespace bandit::experiment
