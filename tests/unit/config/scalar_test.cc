// SPDX-License-Identifier: Apache-2.0
#include "router/config/scalar.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string_view>

namespace bandit::config {
namespace {

TEST(ScalarTest, ReadsNumbers) {
  EXPECT_EQ(ParseNumber("0"), 0.0);
  EXPECT_EQ(ParseNumber("-1.5"), -1.5);
  EXPECT_EQ(ParseNumber("+2"), 2.0);
  EXPECT_EQ(ParseNumber(".5"), 0.5);
  EXPECT_EQ(ParseNumber("5."), 5.0);
  EXPECT_EQ(ParseNumber("1e-3"), 1e-3);
  for (std::string_view bad : {"", "+", "-", "+-1", "1x", "0x10", "1 ", " 1",
                               "inf", "-inf", "nan", ".inf", "1e999", "1,5"}) {
    EXPECT_EQ(ParseNumber(bad), std::nullopt) << bad;
  }
}

TEST(ScalarTest, ReadsWholeNumbers) {
  EXPECT_EQ(ParseWhole("12")->magnitude, 12u);
  EXPECT_TRUE(ParseWhole("-12")->negative);
  EXPECT_EQ(ParseWhole("18446744073709551616")->magnitude,
            std::numeric_limits<uint64_t>::max());
  for (std::string_view bad : {"", "-", "1.0", "1e3", "0x1", "1_000"}) {
    EXPECT_EQ(ParseWhole(bad), std::nullopt) << bad;
  }
}

TEST(ScalarTest, ReadsDurations) {
  EXPECT_EQ(ParseDuration("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(ParseDuration("30m"), absl::Minutes(30));
  EXPECT_EQ(ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("1.5s"), absl::Milliseconds(1500));
  EXPECT_EQ(ParseDuration("7d"), absl::Hours(168));
  EXPECT_EQ(ParseDuration("1d12h"), absl::Hours(36));
  EXPECT_EQ(ParseDuration("10us"), absl::Microseconds(10));
  EXPECT_EQ(ParseDuration("10ns"), absl::Nanoseconds(10));
  EXPECT_EQ(ParseDuration("0"), absl::ZeroDuration());
  EXPECT_EQ(ParseDuration("0s"), absl::ZeroDuration());
  for (std::string_view bad :
       {"", "5", "m", "-5s", "+5s", "5 s", "5S", "5min", "1.s.", ".s", "inf",
        "1h30", "1..5s", "11000000000000s", "99999999999999999999h"}) {
    EXPECT_EQ(ParseDuration(bad), std::nullopt) << bad;
  }
}

TEST(ScalarTest, DurationsSurviveTheProtobuf) {
  for (std::string_view text : {"1ns", "999999999ns", "1.5s", "720h"}) {
    const absl::Duration duration = *ParseDuration(text);
    EXPECT_EQ(FromProto(ToProto(duration)), duration) << text;
  }
}

TEST(ScalarTest, ReadsSizes) {
  EXPECT_EQ(ParseBytes("0"), 0u);
  EXPECT_EQ(ParseBytes("100"), 100u);
  EXPECT_EQ(ParseBytes("100B"), 100u);
  EXPECT_EQ(ParseBytes("16KiB"), 16384u);
  EXPECT_EQ(ParseBytes("64MiB"), 67108864u);
  EXPECT_EQ(ParseBytes("1.5GiB"), 1610612736u);
  EXPECT_EQ(ParseBytes("1TiB"), 1099511627776u);
  EXPECT_EQ(ParseBytes("10kB"), 10'000u);
  EXPECT_EQ(ParseBytes("10MB"), 10'000'000u);
  for (std::string_view bad : {"", "MiB", "-1", "1.5", "1 MiB", "1mib", "1K",
                               "1.0001KiB", "9000000000000TiB", "1e3"}) {
    EXPECT_EQ(ParseBytes(bad), std::nullopt) << bad;
  }
}

TEST(ScalarTest, WritesSizes) {
  EXPECT_EQ(FormatBytes(0), "0");
  EXPECT_EQ(FormatBytes(100), "100");
  EXPECT_EQ(FormatBytes(16384), "16KiB");
  EXPECT_EQ(FormatBytes(67108864), "64MiB");
  EXPECT_EQ(FormatBytes(67108865), "67108865");
}

}  // namespace
}  // namespace bandit::config
