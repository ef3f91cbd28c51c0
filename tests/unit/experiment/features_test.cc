// SPDX-License-Identifier: Apache-2.0
#include "router/experiment/features.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace bandit::experiment {
namespace {

using ::testing::ElementsAre;

FeatureEncoder Encoder(const std::string& features) {
  v1::ContextConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(features, &config));
  return FeatureEncoder(config);
}

struct Encoded {
  std::vector<float> x;
  uint64_t missing;
};

Encoded Encode(const FeatureEncoder& encoder,
               const std::vector<http2::Header>& headers) {
  Encoded result{std::vector<float>(encoder.dimension(), 99), 0};
  result.missing = encoder.Encode(headers, absl::MakeSpan(result.x));
  return result;
}

// The column of one number, and whether it was taken.
std::optional<float> Number(const std::string& rule, std::string_view text) {
  const char* scale = rule.find("scale") == rule.npos ? "scale: 1 " : "";
  const FeatureEncoder encoder =
      Encoder(std::string("features { name: 'n' metadata: 'x-n' ") + scale +
              "missing: -1e9 " + rule + " }");
  const Encoded encoded = Encode(encoder, {{"x-n", text}});
  EXPECT_EQ(encoded.x[0], 1);
  EXPECT_TRUE(std::isfinite(encoded.x[1]));
  if (encoded.missing != 0) return std::nullopt;
  return encoded.x[1];
}

constexpr char kDeviceAndTokens[] = R"(
    features { name: 'device' metadata: 'x-device'
               categories: ['ios', 'android', 'web'] }
    features { name: 'tokens' metadata: 'x-tokens' scale: 1 missing: 3 })";

TEST(FeaturesTest, WithoutContextThereIsNoVector) {
  const FeatureEncoder encoder;
  EXPECT_EQ(encoder.dimension(), 0);
  EXPECT_EQ(encoder.feature_count(), 0);
  EXPECT_EQ(encoder.Encode({}, {}), 0);
  EXPECT_TRUE(encoder.ColumnNames().empty());
}

TEST(FeaturesTest, ColumnsAreAnInterceptThenFeaturesInOrder) {
  const FeatureEncoder encoder = Encoder(kDeviceAndTokens);
  EXPECT_EQ(encoder.dimension(), 5);
  EXPECT_EQ(encoder.feature_count(), 2);
  EXPECT_THAT(encoder.ColumnNames(),
              ElementsAre("intercept", "device=ios", "device=android",
                          "device=web", "tokens"));
  const Encoded encoded =
      Encode(encoder, {{"x-tokens", "12.5"}, {"x-device", "android"}});
  EXPECT_THAT(encoded.x, ElementsAre(1, 0, 1, 0, 12.5));
  EXPECT_EQ(encoded.missing, 0);
}

TEST(FeaturesTest, AbsentFeaturesTakeTheirDocumentedValues) {
  const Encoded encoded = Encode(Encoder(kDeviceAndTokens), {});
  EXPECT_THAT(encoded.x, ElementsAre(1, 0, 0, 0, 3));
  EXPECT_EQ(encoded.missing, 0b11);
}

TEST(FeaturesTest, AnUnlistedCategoryIsMissing) {
  const FeatureEncoder encoder = Encoder(kDeviceAndTokens);
  for (std::string_view device : {"", "iOS", "ios ", "io", "windows"}) {
    const Encoded encoded =
        Encode(encoder, {{"x-device", device}, {"x-tokens", "1"}});
    EXPECT_THAT(encoded.x, ElementsAre(1, 0, 0, 0, 1)) << device;
    EXPECT_EQ(encoded.missing, 0b01) << device;
  }
}

TEST(FeaturesTest, TheFirstOfSeveralValuesCounts) {
  const Encoded encoded =
      Encode(Encoder(kDeviceAndTokens),
             {{"x-device", "web"}, {"x-device", "ios"}, {"x-tokens", "1"}});
  EXPECT_THAT(encoded.x, ElementsAre(1, 0, 0, 1, 1));
}

TEST(FeaturesTest, NumbersAreReadAsAWhole) {
  EXPECT_EQ(Number("", "0"), 0);
  EXPECT_EQ(Number("", "-1.25"), -1.25F);
  EXPECT_EQ(Number("", "1e3"), 1000);
  EXPECT_EQ(Number("", ".5"), .5F);
  EXPECT_EQ(Number("", "007"), 7);
  for (std::string_view absurd :
       {"", " 1", "1 ", "1,5", "0x10", "1e", "--1", "+1", "nan", "inf",
        "-infinity", "1e999", "-1e999", "one", "1;", "1_000", "\xff"}) {
    EXPECT_EQ(Number("", absurd), std::nullopt) << absurd;
  }
  EXPECT_EQ(Number("", std::string_view("1\0", 2)), std::nullopt);
  EXPECT_EQ(Number("", std::string(100'000, '1')), std::nullopt);
}

TEST(FeaturesTest, ValuesOutsideTheLimitsAreAbsurd) {
  const std::string rule = "min: -1 max: 2";
  EXPECT_EQ(Number(rule, "-1"), -1);
  EXPECT_EQ(Number(rule, "2"), 2);
  EXPECT_EQ(Number(rule, "-1.0000001"), std::nullopt);
  EXPECT_EQ(Number(rule, "2.0000001"), std::nullopt);
}

TEST(FeaturesTest, TransformsThenShiftsThenScales) {
  EXPECT_EQ(Number("transform: TRANSFORM_LOG1P", "0"), 0);
  EXPECT_FLOAT_EQ(*Number("transform: TRANSFORM_LOG1P", "1.718281828"), 1);
  EXPECT_EQ(Number("transform: TRANSFORM_SQRT", "9"), 3);
  EXPECT_EQ(Number("transform: TRANSFORM_SQRT shift: 1 scale: 4", "9"), 0.5F);
  EXPECT_EQ(Number("shift: 10 scale: -2", "4"), 3);
}

TEST(FeaturesTest, NegativeNumbersHaveNoLogarithmNorRoot) {
  EXPECT_EQ(Number("transform: TRANSFORM_LOG1P", "-0.5"), std::nullopt);
  EXPECT_EQ(Number("transform: TRANSFORM_SQRT", "-1e-300"), std::nullopt);
  EXPECT_EQ(Number("transform: TRANSFORM_SQRT", "-0"), -0.0F);
}

// 1e39 is a fine double; scaled down, it is a fine float too.
TEST(FeaturesTest, WhatNoFloatHoldsIsAbsurd) {
  EXPECT_EQ(Number("", "1e39"), std::nullopt);
  EXPECT_EQ(Number("", "-1e39"), std::nullopt);
  EXPECT_EQ(Number("scale: 1e39", "1e39"), 1);
  EXPECT_EQ(Number("scale: 1e-39", "1"), std::nullopt);
  EXPECT_EQ(Number("", "1e-50"), 0);
}

TEST(FeaturesTest, MissingIsTransformedLikeAnyNumber) {
  const FeatureEncoder encoder = Encoder(R"(
      features { name: 'n' metadata: 'x-n' transform: TRANSFORM_SQRT
                 shift: 1 scale: 2 missing: 25 max: 9 })");
  // And may lie outside the limits.
  EXPECT_THAT(Encode(encoder, {{"x-n", "10"}}).x, ElementsAre(1, 2));
}

// config::Load refuses these.
TEST(FeaturesTest, AMissingValueThatIsNoFloatGivesZero) {
  for (const char* rule :
       {"scale: 0", "scale: 0 missing: 1", "scale: 1 missing: inf",
        "scale: 1 missing: nan", "scale: 1e-39 missing: 1",
        "transform: TRANSFORM_LOG1P scale: 1 missing: -2"}) {
    const Encoded encoded =
        Encode(Encoder(std::string("features { name: 'n' metadata: 'x-n' ") +
                       rule + "}"),
               {});
    EXPECT_THAT(encoded.x, ElementsAre(1, 0)) << rule;
  }
}

// Keys of one bucket, keys that share a prefix or a suffix, and as many
// features as there may be; every other one present.
TEST(FeaturesTest, ManyFeaturesAreToldApart) {
  std::string features;
  std::vector<std::string> keys, values;
  for (int i = 0; i < 64; ++i) {
    keys.push_back("x-" + std::string(i / 8, 'y') + std::to_string(i % 8));
    values.push_back(std::to_string(i + 100));
    features += "features { name: 'f' metadata: '" + keys.back() +
                "' scale: 1 missing: -1 }";
  }
  const FeatureEncoder encoder = Encoder(features);
  std::vector<http2::Header> headers = {{"", "7"}, {"x", "7"}, {"x-", "7"}};
  for (int i = 62; i >= 0; i -= 2) headers.emplace_back(keys[i], values[i]);
  const Encoded encoded = Encode(encoder, headers);
  EXPECT_EQ(encoded.missing, 0xaaaaaaaaaaaaaaaa);
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(encoded.x[i + 1], i % 2 == 0 ? i + 100 : -1) << i;
  }
  EXPECT_EQ(Encode(encoder, {}).missing, ~uint64_t{0});
}

TEST(FeaturesTest, TwoFeaturesMayReadOneKey) {
  const FeatureEncoder encoder = Encoder(R"(
      features { name: 'n' metadata: 'x-n' scale: 1 }
      features { name: 'c' metadata: 'x-n' categories: '1' categories: '2' })");
  EXPECT_THAT(Encode(encoder, {{"x-n", "2"}}).x, ElementsAre(1, 2, 0, 1));
  EXPECT_EQ(Encode(encoder, {{"x-n", "3"}}).missing, 0b10);
}

// An absurd value is not made good by a second one.
TEST(FeaturesTest, AnAbsurdFirstValueStays) {
  EXPECT_EQ(Encode(Encoder(kDeviceAndTokens),
                   {{"x-tokens", "many"}, {"x-tokens", "5"}})
                .missing,
            0b11);
}

}  // namespace
}  // namespace bandit::experiment
