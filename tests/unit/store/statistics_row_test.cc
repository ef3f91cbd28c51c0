// SPDX-License-Identifier: Apache-2.0
#include "router/store/statistics_row.h"

#include <cstdio>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "xxhash.h"

namespace bandit::store {
namespace {

StatisticsRow Example() {
  return {.center = -2.5,
          .matured_before = 1'700'000'000'000,
          .outcomes = {0, 1, 2, 3, 4, ~uint64_t{0}},
          .arms = {{"control", {1, -0.0, 1e-300}},
                   {"kandidat-\xc3\xa4", {2, 3, 1e300}}}};
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    char two[3];
    std::snprintf(two, sizeof(two), "%02x", static_cast<unsigned char>(c));
    text += two;
  }
  return text;
}

TEST(StatisticsRowTest, ComesBackAsItWas) {
  for (const StatisticsRow& row : {Example(), StatisticsRow{}, [] {
                                     StatisticsRow nameless;
                                     nameless.arms.emplace_back();
                                     return nameless;
                                   }()}) {
    const auto back = Decode(Encode(row));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, row);
  }
}

// State written by an older build must be read by every later one. The bytes
// follow the table in the header; the last eight are libxxhash's XXH3_64bits of
// the rest.
TEST(StatisticsRowTest, TheFormatIsFrozen) {
  const StatisticsRow row{.center = 1.0,
                          .matured_before = 0x0102,
                          .outcomes = {7},
                          .arms = {{"a", {2.0}}}};
  const std::string bytes = Encode(row);
  EXPECT_EQ(Hex(bytes.substr(0, bytes.size() - 8)),
            "01"                // version
            "01"                // the center is set
            "000000000000f03f"  // 1.0
            "0201000000000000"  // matured_before
            "01000700000000000000"
            "01000000"  // width
            "0100"      // arms
            "010061"    // "a"
            "0000000000000040");
  EXPECT_EQ(Hex(bytes.substr(bytes.size() - 8)), "517b2424a185fbb6");
}

TEST(StatisticsRowTest, EverySingleChangedOrMissingByteIsNoticed) {
  const std::string bytes = Encode(Example());
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_EQ(Decode(changed).status().code(), absl::StatusCode::kDataLoss)
        << i;
    EXPECT_EQ(Decode(bytes.substr(0, i)).status().code(),
              absl::StatusCode::kDataLoss)
        << i;
  }
  EXPECT_FALSE(Decode(bytes + "x").ok());
}

TEST(StatisticsRowTest, ANewerVersionIsSaidToBeNewerNotDamaged) {
  std::string bytes = Encode(Example());
  bytes.resize(bytes.size() - 8);
  bytes[0] = 2;
  const uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  for (int i = 0; i < 8; ++i) {
    bytes.push_back(static_cast<char>(hash >> (8 * i) & 0xff));
  }
  EXPECT_EQ(Decode(bytes).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace bandit::store
