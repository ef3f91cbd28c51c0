// SPDX-License-Identifier: Apache-2.0
// What this client computes and reads is what the router does.
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "bandit/client/hashing.h"
#include "bandit/client/token.h"
#include "gtest/gtest.h"

namespace bandit::client {
namespace {

using nlohmann::json;

const json& Vectors() {
  static const json* const vectors = [] {
    std::ifstream file(BANDIT_CLIENT_VECTORS);
    return new json(json::parse(file));
  }();
  return *vectors;
}

// One group of the file; a group without vectors would prove nothing.
const json& Group(const char* name) {
  const json& group = Vectors().at(name);
  EXPECT_FALSE(group.empty()) << name;
  return group;
}

uint64_t Number(const json& text) {
  return std::stoull(text.get<std::string>());
}

void ExpectSays(const json& vector) {
  const auto fields = ReadToken(vector["token"].get<std::string>());
  ASSERT_TRUE(fields.ok()) << fields.status() << vector;
  const json& d = vector["decision"];
  EXPECT_EQ(fields->experiment, d["experiment"].get<uint32_t>());
  EXPECT_EQ(fields->epoch, d["epoch"].get<uint32_t>());
  EXPECT_EQ(fields->arm, d["arm"].get<uint32_t>());
  EXPECT_EQ(fields->propensity, d["propensity"].get<double>());
  EXPECT_EQ(fields->time, absl::FromUnixMillis(d["time_ms"].get<int64_t>()));
  EXPECT_EQ(fields->id, Number(d["id"]));
  EXPECT_EQ(fields->unit, Number(d["unit"]));
  EXPECT_EQ(fields->own_unit, d["own_unit"].get<bool>());
  EXPECT_EQ(fields->segments, d["segments"].get<uint32_t>());
  EXPECT_EQ(fields->covariate, d["covariate"].get<float>());
  // By bits: -0.0 is not 0.0.
  const auto features = d["features"].get<std::vector<float>>();
  ASSERT_EQ(fields->features.size(), features.size());
  for (size_t i = 0; i < features.size(); ++i) {
    EXPECT_EQ(std::memcmp(&fields->features[i], &features[i], sizeof(float)), 0)
        << i << ": " << fields->features[i] << " is not " << features[i];
  }
}

TEST(VectorsTest, HashesUnits) {
  for (const json& v : Group("hash_unit")) {
    EXPECT_EQ(
        HashUnit(Purpose{v["purpose"].get<uint8_t>()},
                 v["salt"].get<std::string>(), v["unit"].get<std::string>()),
        Number(v["hash"]))
        << v;
  }
}

TEST(VectorsTest, PlacesUnits) {
  for (const json& v : Group("place")) {
    EXPECT_EQ(
        PlaceOf(Purpose{v["purpose"].get<uint8_t>()},
                v["salt"].get<std::string>(), v["unit"].get<std::string>()),
        v["place"].get<double>())
        << v;
  }
}

TEST(VectorsTest, NumbersExperiments) {
  for (const json& v : Group("experiment_id")) {
    EXPECT_EQ(ExperimentId(v["name"].get<std::string>()),
              v["id"].get<uint32_t>())
        << v;
  }
}

TEST(VectorsTest, ReadsTokens) {
  for (const json& v : Group("token")) ExpectSays(v);
}

TEST(VectorsTest, ReadsForgedTokensAllTheSame) {
  for (const json& v : Group("forged_token")) ExpectSays(v);
}

TEST(VectorsTest, RefusesMalformedTokens) {
  for (const json& v : Group("malformed_token")) {
    EXPECT_EQ(ReadToken(v["token"].get<std::string>()).status().code(),
              absl::StatusCode::kInvalidArgument)
        << v["why"];
  }
}

}  // namespace
}  // namespace bandit::client
