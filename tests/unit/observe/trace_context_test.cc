// SPDX-License-Identifier: Apache-2.0
// The rules and examples of https://www.w3.org/TR/trace-context/.
#include "router/observe/trace_context.h"

#include <string>

#include "gtest/gtest.h"

namespace bandit::observe {
namespace {

constexpr std::string_view kExample =
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::string Format(const TraceParent& parent) {
  TraceParentText text;
  FormatTraceParent(parent, &text);
  return {text.data(), text.size()};
}

// kExample with `with` at `at`.
std::string Changed(size_t at, std::string_view with) {
  std::string text(kExample);
  return text.replace(at, with.size(), with);
}

TEST(TraceContextTest, TheSpecificationsExampleIsReadAndWrittenAsItWas) {
  const auto parent = ParseTraceParent(kExample);
  ASSERT_TRUE(parent.has_value());
  EXPECT_EQ(parent->trace[0], 0x0A);
  EXPECT_EQ(parent->trace[15], 0x9C);
  EXPECT_EQ(parent->span[0], 0xB7);
  EXPECT_EQ(parent->span[7], 0x31);
  EXPECT_TRUE(parent->sampled());
  EXPECT_EQ(Format(*parent), kExample);
}

TEST(TraceContextTest, TheSampledFlagIsTheLowestBit) {
  for (const char* flags : {"00", "02", "fe"}) {
    const auto parent = ParseTraceParent(Changed(53, flags));
    ASSERT_TRUE(parent.has_value()) << flags;
    EXPECT_FALSE(parent->sampled()) << flags;
  }
  for (const char* flags : {"01", "03", "ff", "09"}) {
    const auto parent = ParseTraceParent(Changed(53, flags));
    ASSERT_TRUE(parent.has_value()) << flags;
    EXPECT_TRUE(parent->sampled()) << flags;
  }
}

// "must set to zero" what it does not know.
TEST(TraceContextTest, UnknownFlagsAreNotPassedOn) {
  EXPECT_EQ(Format(*ParseTraceParent(Changed(53, "ff"))), Changed(53, "03"));
  EXPECT_EQ(Format(*ParseTraceParent(Changed(53, "0c"))), Changed(53, "00"));
}

TEST(TraceContextTest, ALaterVersionIsReadAsFarAsItIsKnown) {
  for (const std::string& text :
       {Changed(0, "cc"), Changed(0, "cc") + "-what-the-future-will-be-like",
        Changed(0, "01") + "-"}) {
    const auto parent = ParseTraceParent(text);
    ASSERT_TRUE(parent.has_value()) << text;
    EXPECT_EQ(Format(*parent), kExample) << text;
  }
}

TEST(TraceContextTest, WhatIsMalformedIsNone) {
  const std::string example(kExample);
  for (const std::string& text : {
           std::string(),
           example.substr(0, 54),
           example + "1",                 // Version 00 has no more.
           example + "-",                 //
           example + "-what-the-future",  //
           Changed(0, "cc") + "1",        // A later one, after a dash.
           Changed(0, "ff"),              // No version.
           Changed(0, ".0"),
           Changed(0, "0."),
           Changed(2, "_"),
           Changed(35, "_"),
           Changed(52, "_"),
           Changed(3, "."),
           Changed(34, "."),
           Changed(36, "."),
           Changed(51, "."),
           Changed(53, ".0"),
           Changed(53, "0."),
           Changed(3, "0AF7"),  // Lower case alone.
           Changed(36, "B7AD"),
           Changed(0, "CC"),
           Changed(53, "0A"),
           Changed(3, std::string(32, '0')),
           Changed(36, std::string(16, '0')),
           " " + example.substr(1),
           example.substr(0, 54) + " ",
       }) {
    EXPECT_FALSE(ParseTraceParent(text).has_value()) << text;
  }
}

// The parser reads no further than it may: the sanitizers watch.
TEST(TraceContextTest, EveryPrefixIsNone) {
  for (size_t size = 0; size < kExample.size(); ++size) {
    const std::string prefix(kExample.substr(0, size));
    EXPECT_FALSE(ParseTraceParent(prefix).has_value()) << prefix;
  }
}

}  // namespace
}  // namespace bandit::observe
